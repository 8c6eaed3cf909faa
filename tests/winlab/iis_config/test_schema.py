"""Reading IIS's schema files."""

from __future__ import annotations

from datetime import timedelta

import pytest

from winlab.iis.errors import ConfigError
from winlab.iis.schema import TIMESPAN_MAX, UINT_MAX, AttributeSchema, Schema, format_timespan, parse_timespan


def attribute(schema: Schema, section: str, *names: str) -> AttributeSchema:
    element = schema.sections[section]
    for name in names[:-1]:
        element = element.collection.item if name == "*" and element.collection else element.children[name]
    return element.attributes[names[-1]]


def test_files_are_merged(schema: Schema) -> None:
    sites = schema.sections["system.applicationHost/sites"].collection
    assert sites is not None and sites.default_element == "siteDefaults"
    assert sites.item.attributes["state"].dynamic and not sites.item.attributes["name"].dynamic
    assert {"Start", "Stop"} <= set(sites.item.methods)
    bindings = sites.item.children["bindings"].collection
    assert bindings is not None and "AddSslCertificate" in bindings.item.methods
    assert [k.name for k in bindings.keys] == ["protocol", "bindingInformation"]


def test_merge_order_and_names(schema: Schema) -> None:
    handlers = schema.sections["system.webServer/handlers"].collection
    modules = schema.sections["system.webServer/modules"].collection
    assert handlers is not None and modules is not None
    assert (handlers.merge_append, modules.merge_append) == (False, True)
    assert (handlers.add_names, handlers.remove_name, handlers.clear_name) == (["add"], "remove", "clear")


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        (("system.webServer/handlers", "accessPolicy"), "Script, Read", 513),
        (("system.webServer/handlers", "accessPolicy"), "none", 0),
        (("system.webServer/httpErrors", "errorMode"), "detailed", 2),
        (("system.applicationHost/webLimits", "connectionTimeout"), "1.02:03:04", timedelta(1, 7384)),
        (("system.applicationHost/applicationPools", "*", "queueLength"), "10", 10),
    ],
)
def test_values_of_files(schema: Schema, path: tuple[str, ...], text: str, value: object) -> None:
    assert attribute(schema, *path).parse(text) == value


def test_flags_are_written_in_the_order_of_the_schema(schema: Schema) -> None:
    policy = attribute(schema, "system.webServer/handlers", "accessPolicy")
    assert policy.format(policy.parse("Script,Read,Execute")) == "Read, Execute, Script"
    assert policy.format(0) == "None"


@pytest.mark.parametrize("value", ["yes", 1, None, 1.5])
def test_api_values_are_not_converted(schema: Schema, value: object) -> None:
    with pytest.raises(ConfigError, match="Specified cast is not valid"):
        attribute(schema, "system.applicationHost/applicationPools", "*", "autoStart").check(value)


def test_exclusive_ranges(schema: Schema) -> None:
    bandwidth = attribute(schema, "system.applicationHost/sites", "*", "limits", "maxBandwidth")
    assert bandwidth.check(1024) == 1024
    with pytest.raises(ConfigError, match="must not be between 0 and 1023"):
        bandwidth.check(5)


def test_infinite() -> None:
    span = AttributeSchema("x", "timeSpan", allow_infinite=True)
    number = AttributeSchema("x", "uint", allow_infinite=True)
    assert (span.parse("Infinite"), number.parse("infinite")) == (TIMESPAN_MAX, UINT_MAX)
    assert (span.format(TIMESPAN_MAX), number.format(UINT_MAX)) == ("Infinite", "Infinite")


def test_seconds_and_minutes_as_numbers() -> None:
    seconds = AttributeSchema("x", "timeSpan", timespan_format="seconds")
    assert seconds.parse("90") == timedelta(seconds=90)
    assert seconds.format(timedelta(minutes=2)) == "120"


@pytest.mark.parametrize(
    "text", ["00:00:00", "1.05:00:00", "-00:00:01", "00:00:00.5000000", "10675199.02:48:05.4775800"]
)
def test_time_spans_keep_their_text(text: str) -> None:
    assert format_timespan(parse_timespan(text)) == text


def test_hours_over_a_day() -> None:
    assert format_timespan(parse_timespan("29:00:00")) == "1.05:00:00"


def test_defaults_of_encrypted_attributes_are_empty(schema: Schema) -> None:
    password = attribute(schema, "system.applicationHost/applicationPools", "*", "processModel", "password")
    assert (password.default, password.encryption_provider) == ("", "IISWASOnlyAesProvider")
