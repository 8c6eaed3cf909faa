"""What is wanted of IIS, as edits of its configuration: sections, elements in collections by key, attributes. The server compares by IIS's own schema.

Every function here describes one thing; descriptions are added (`+`), and `iis.configuration` brings the sum in one commit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import SecretStr
from pyinfra.api import HiddenValue
from pyinfra.api.exceptions import OperationValueError

from pyinfra_iis.operations.changes import Change, sounds_secret
from pyinfra_iis.operations.iis.certificates import thumbprint
from pyinfra_iis.settings import Binding, Certificate

POOLS = "system.applicationHost/applicationPools"
SITES = "system.applicationHost/sites"
REQUEST_FILTERING = "system.webServer/security/requestFiltering"

Value = str | int | bool | timedelta | HiddenValue | SecretStr | None
"""A property's value: enums and flags by name or number, time spans as `hh:mm:ss`, seconds or timedelta; None is the default that IIS gives."""

_SERVICE_IDENTITIES = ("LocalSystem", "LocalService", "NetworkService", "ApplicationPoolIdentity")
_CREDENTIALS_IN_URL = re.compile(r"://[^\s/@]*:[^\s/@]+@")


@dataclass(frozen=True)
class Edits:
    """A description of what is wanted.

    Attributes:
        sections: edits of sections, in order; their form is that of the script `iis/edit`.
        locations: paths whose `location` settings are taken away.
        certificates: https bindings with the certificate that they get.
        states: pools and sites with the state in which they shall be.
        secrets: values by the ids that `sections` names; shown nowhere.
    """

    sections: tuple[dict[str, Any], ...] = ()
    locations: tuple[str, ...] = ()
    certificates: tuple[dict[str, Any], ...] = ()
    states: tuple[dict[str, str], ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __add__(self, other: Edits) -> Edits:
        return Edits(
            self.sections + other.sections,
            self.locations + other.locations,
            self.certificates + other.certificates,
            self.states + other.states,
            {**self.secrets, **other.secrets},
        )

    @property
    def request(self) -> dict[str, Any]:
        """The arguments of the scripts."""
        return {
            "sections": list(self.sections),
            "locations": list(self.locations),
            "certificates": list(self.certificates),
            "states": list(self.states),
        }


class _Values:
    """Collects the values of one description: plain ones as JSON, secrets by id."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.secrets: dict[str, str] = {}

    def tree(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Properties by their dotted names (`.` or `__`) or nested, as a tree."""
        tree: dict[str, Any] = {}
        for name, value in properties.items():
            *path, last = [camel(part) for part in re.split(r"\.|__", name)]
            branch = tree
            for part in path:
                branch = branch.setdefault(part, {})
            branch[last] = self.value(f"{self.what} {'.'.join([*path, last])}", value)
        return tree

    def value(self, what: str, value: Any, secret: bool = False) -> Any:
        """One value in JSON's terms."""
        if isinstance(value, Mapping):
            inner = _Values(what)
            tree = inner.tree(value)
            self.secrets.update(inner.secrets)
            return tree
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(f"{what} {index}", item) for index, item in enumerate(value)]
        if isinstance(value, timedelta):
            return int(value.total_seconds())
        text = plain(value)
        if secret or isinstance(value, HiddenValue | SecretStr) or (isinstance(value, str) and is_secret(what, text)):
            self.secrets[what] = text
            return {"secret": what}
        return value


def plain(value: Any) -> str:
    """A value's text, also of one that hides it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, HiddenValue):
        return value.unmask()
    return str(value)


def is_secret(name: str, value: str) -> bool:
    """Whether a property's name or value says that it is a secret."""
    last = re.split(r"[ .]", name)[-1]
    return bool(_CREDENTIALS_IN_URL.search(value)) or (
        (sounds_secret(last) or last.upper().endswith("_KEY") or last.upper() == "KEY")
        and value.lower() not in ("true", "false")
    )


def camel(name: str) -> str:
    """A property's name as IIS writes it: `idle_timeout` is `idleTimeout`."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def app_pool(
    pool: str,
    present: bool = True,
    running: bool | None = None,
    identity: str | None = None,
    password: str | HiddenValue | SecretStr | None = None,
    environment: Mapping[str, Value] | None = None,
    secret_environment: Mapping[str, Value] | None = None,
    generated: Iterable[str] = (),
    exact_environment: bool = False,
    **properties: Any,
) -> Edits:
    """An application pool; see `pyinfra_iis.operations.iis.app_pool`."""
    what = f"app pool {pool}"
    if not present:
        return Edits(({"section": POOLS, "items": [_absent("add", {"name": pool}, what)]},))
    values = _Values(what)
    tree = values.tree(properties)
    if identity is not None:
        model = tree.setdefault("processModel", {})
        known = next((name for name in _SERVICE_IDENTITIES if name.lower() == identity.lower()), None)
        model["identityType"] = known or "SpecificUser"
        if known is None:
            model["userName"] = identity
    if password is not None:
        model = tree.setdefault("processModel", {})
        model["password"] = values.value(f"{what} processModel.password", password, secret=True)
    item: dict[str, Any] = {"tag": "add", "key": {"name": pool}, "what": what, "set": tree}
    variables = [
        _variable(values, name, value, secret)
        for given, secret in ((environment or {}, False), (secret_environment or {}, True))
        for name, value in given.items()
    ]
    variables += [{"tag": "add", "key": {"name": name}, "main": "value", "generate": ["value"]} for name in generated]
    if variables or exact_environment:
        item["in"] = {
            "environmentVariables": {
                "list": "environment",
                "secret": True,
                "items": variables,
                "only": exact_environment,
            }
        }
    states = () if running is None else (_state("pool", pool, running),)
    return Edits(({"section": POOLS, "items": [item]},), states=states, secrets=values.secrets)


def _variable(values: _Values, name: str, value: Value, secret: bool) -> dict[str, Any]:
    if value is None:
        return {"tag": "add", "key": {"name": name}, "present": False}
    text = value if isinstance(value, HiddenValue | SecretStr) else str(value)
    given = values.value(f"{values.what} environment {name}", text, secret)
    return {"tag": "add", "key": {"name": name}, "main": "value", "set": {"value": given}}


def _state(kind: str, name: str, running: bool) -> dict[str, str]:
    return {"kind": kind, "name": name, "state": "Started" if running else "Stopped"}


def _absent(tag: str, key: dict[str, Any], what: str) -> dict[str, Any]:
    return {"tag": tag, "key": key, "what": what, "present": False}


def site(
    site: str,
    present: bool = True,
    path: str | None = None,
    pool: str | None = None,
    bindings: Sequence[str | Binding] | None = None,
    certificate: Certificate | str | None = None,
    running: bool | None = None,
    preload: bool | None = None,
    application: Mapping[str, Any] | None = None,
    **properties: Any,
) -> Edits:
    """A site with its root application; see `pyinfra_iis.operations.iis.site`."""
    what = f"site {site}"
    if not present:
        return Edits(({"section": SITES, "items": [_absent("site", {"name": site}, what)]},), locations=(site,))
    values = _Values(what)
    item = _site_item(site)
    item["set"] = values.tree(properties)
    item["number"] = "id"
    directory = {"tag": "virtualDirectory", "key": {"path": "/"}, "set": _given(physicalPath=path)}
    root = _given(applicationPool=pool, preloadEnabled=preload)
    root.update(values.tree(application or {}))
    item["items"] = [{"tag": "application", "key": {"path": "/"}, "set": root, "items": [directory]}]
    certificates: list[dict[str, Any]] = []
    if bindings is not None:
        parsed = [parse(binding) for binding in bindings]
        item["in"] = {"bindings": {"list": "binding", "only": True, "items": [_binding_item(one) for one in parsed]}}
        certificates = _certificates(site, parsed, certificate)
    states = () if running is None else (_state("site", site, running),)
    return Edits(
        ({"section": SITES, "items": [item]},), certificates=tuple(certificates), states=states, secrets=values.secrets
    )


_site = site  # Where a parameter has the function's name.


def _site_item(site: str) -> dict[str, Any]:
    return {"tag": "site", "key": {"name": site}, "what": f"site {site}"}


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _in_site(site: str, **more: Any) -> dict[str, Any]:
    """An edit inside a site that somebody else makes."""
    return {"section": SITES, "items": [{**_site_item(site), "must": True, "number": "id", **more}]}


def application(
    site: str,
    path: str,
    present: bool = True,
    physical_path: str | None = None,
    pool: str | None = None,
    preload: bool | None = None,
    **properties: Any,
) -> Edits:
    """An application below a site; see `pyinfra_iis.operations.iis.application`."""
    what = f"application {path}"
    if not present:
        entry = _in_site(site, items=[_absent("application", {"path": path}, what)])
        return Edits((entry,), locations=(f"{site}/{path.strip('/')}",))
    values = _Values(f"site {site} {what}")
    item = {
        "tag": "application",
        "key": {"path": path},
        "what": what,
        "set": {**_given(applicationPool=pool, preloadEnabled=preload), **values.tree(properties)},
        "items": [{"tag": "virtualDirectory", "key": {"path": "/"}, "set": _given(physicalPath=physical_path)}],
    }
    return Edits((_in_site(site, items=[item]),), secrets=values.secrets)


def virtual_directory(
    site: str,
    path: str,
    present: bool = True,
    physical_path: str | None = None,
    application: str = "/",
    password: str | HiddenValue | SecretStr | None = None,
    **properties: Any,
) -> Edits:
    """A virtual directory; see `pyinfra_iis.operations.iis.virtual_directory`."""
    what = f"virtual directory {path}"
    values = _Values(f"site {site} application {application} {what}")
    if present:
        given = {**_given(physicalPath=physical_path), **values.tree(properties)}
        if password is not None:
            given["password"] = values.value(f"{values.what} password", password, secret=True)
        item = {"tag": "virtualDirectory", "key": {"path": path}, "what": what, "set": given}
    else:
        item = _absent("virtualDirectory", {"path": path}, what)
    holder = {
        "tag": "application",
        "key": {"path": application},
        "what": f"application {application}",
        "must": True,
        "items": [item],
    }
    return Edits((_in_site(site, items=[holder]),), secrets=values.secrets)


def binding(
    site: str,
    binding: str | Binding,
    present: bool = True,
    certificate: Certificate | str | None = None,
    flags: int | None = None,
) -> Edits:
    """One binding of a site; see `pyinfra_iis.operations.iis.binding`."""
    parsed = parse(binding)
    item = _binding_item(parsed, flags) if present else {**_binding_item(parsed), "present": False}
    item = item if present else {key: value for key, value in item.items() if key != "set"}
    certificates = _certificates(site, [parsed], certificate) if present else []
    entry = _in_site(site, **{"in": {"bindings": {"list": "binding", "items": [item]}}})
    return Edits((entry,), certificates=tuple(certificates))


def parse(binding: str | Binding) -> Binding:
    """A binding from its text (`https://*:443:www.example.com`).

    Raises:
        OperationValueError: the text is of another form.
    """
    if isinstance(binding, Binding):
        return binding
    try:
        return Binding.parse(binding)
    except ValueError as error:
        raise OperationValueError(str(error)) from None


def _binding_item(binding: Binding, flags: int | None = None) -> dict[str, Any]:
    key = {"protocol": binding.protocol, "bindingInformation": binding.information}
    if binding.protocol != "https":
        return {"tag": "binding", "key": key}
    # Server Name Indication, where the certificate goes by the host name.
    return {"tag": "binding", "key": key, "set": {"sslFlags": flags if flags is not None else int(bool(binding.host))}}


def _certificates(
    site: str, bindings: Sequence[Binding], certificate: Certificate | str | None
) -> list[dict[str, Any]]:
    if certificate is None:
        return []
    if isinstance(certificate, str):
        kind = "thumbprint" if re.fullmatch(r"[0-9A-Fa-f\s:]{40,}", certificate) else "subject"
        certificate = Certificate(**{kind: certificate})
    wanted = {"thumbprint": certificate.thumbprint, "subject": certificate.subject}
    if certificate.pfx:
        wanted["thumbprint"] = thumbprint(certificate.pfx, certificate.password.get_secret_value())
    return [
        {"site": site, "information": binding.information, "wanted": wanted}
        for binding in bindings
        if binding.protocol == "https"
    ]


def section(
    section: str,
    present: bool = True,
    location: str = "",
    unlocked: bool | None = None,
    **properties: Any,
) -> Edits:
    """A section of the configuration; see `pyinfra_iis.operations.iis.section`."""
    what = _section_name(section, location)
    entry: dict[str, Any] = {"section": section, "location": location, "what": what}
    values = _Values(what)
    if not present:
        return Edits(({**entry, "revert": True} if location else {**entry, "override": "Inherit"},))
    if unlocked is not None:
        entry["override"] = "Allow" if unlocked else "Deny"
    entry["set"] = values.tree(properties)
    return Edits((entry,), secrets=values.secrets)


def entry(
    section: str,
    collection: str,
    key: Mapping[str, Any],
    present: bool = True,
    location: str = "",
    first: bool = False,
    **properties: Any,
) -> Edits:
    """One item of a section's collection; see `pyinfra_iis.operations.iis.entry`."""
    what = _section_name(section, location)
    values = _Values(f"{what} {collection}".rstrip())
    item: dict[str, Any] = {"key": dict(key)}
    if not present:
        return Edits(({**_in_collection(section, location, collection, item | {"present": False}), "optional": True},))
    item |= {"set": values.tree(properties), "first": first}
    return Edits((_in_collection(section, location, collection, item),), secrets=values.secrets)


def _section_name(section: str, location: str) -> str:
    return f"section {section}" + (f" of {location}" if location else "")


def _in_collection(section: str, location: str, collection: str, item: dict[str, Any]) -> dict[str, Any]:
    head = {"section": section, "location": location, "what": _section_name(section, location)}
    if not collection:
        return {**head, "list": "entry", "items": [item]}
    return {**head, "in": {collection: {"list": collection, "items": [item]}}}


def request_filtering(
    site: str = "",
    present: bool = True,
    max_content_length: int | None = None,
    max_url: int | None = None,
    max_query_string: int | None = None,
    **properties: Any,
) -> Edits:
    """What requests may be; see `pyinfra_iis.operations.iis.request_filtering`."""
    limits = {"maxAllowedContentLength": max_content_length, "maxUrl": max_url, "maxQueryString": max_query_string}
    given = {**properties, **{f"requestLimits.{name}": value for name, value in limits.items() if value is not None}}
    return section(REQUEST_FILTERING, present, site, **given)


def redirect(
    site: str,
    to: str = "",
    bindings: Sequence[str | Binding] = (),
    present: bool = True,
    status: str | int = "Permanent",
    path: str = r"%SystemDrive%\inetpub\wwwroot",
) -> Edits:
    """A site that only redirects; see `pyinfra_iis.operations.iis.redirect`."""
    if not present:
        return _site(site, present=False) + app_pool(site, present=False)
    return merged(
        [
            app_pool(site, running=True, managedRuntimeVersion=""),
            _site(site, path=path, pool=site, bindings=bindings, running=True),
            section(
                "system.webServer/httpRedirect", location=site, enabled=True, destination=to, httpResponseStatus=status
            ),
        ]
    )


def hsts(
    site: str,
    present: bool = True,
    max_age: int | timedelta = 31_536_000,
    include_subdomains: bool = False,
    preload: bool = False,
    redirect: bool = False,
) -> Edits:
    """Strict-Transport-Security; see `pyinfra_iis.operations.iis.hsts`."""
    seconds = int(max_age.total_seconds()) if isinstance(max_age, timedelta) else max_age
    own = {
        "enabled": True,
        "max-age": seconds,
        "includeSubDomains": include_subdomains,
        "preload": preload,
        "redirectHttpToHttps": redirect,
    }
    header = f"max-age={seconds}" + "; includeSubDomains" * include_subdomains + "; preload" * preload
    item: dict[str, Any] = {"key": {"name": "Strict-Transport-Security"}, "main": "value"}
    item |= {"set": {"value": header}} if present else {"present": False}
    where = {"section": SITES, "tag": "site", "child": "hsts"}
    known = {**where, "known": True}
    lacking = {**where, "known": False}
    sections = [
        {**_in_site(site, set={"hsts": own if present else dict.fromkeys(own)}), "where": known},
        {**_in_collection("system.webServer/httpProtocol", site, "customHeaders", item), "where": lacking},
    ]
    if redirect and present:
        problem = (
            f"site {site} cannot redirect to https by itself: that needs IIS 10.0 version 1709 (Windows Server 2019); "
            "let the application do it (Django: SECURE_SSL_REDIRECT), or a site of its own (iis.redirect)."
        )
        sections.insert(0, {"problem": problem, "where": lacking})
    return Edits(tuple(sections))


def merged(edits: Iterable[Edits]) -> Edits:
    """Several descriptions as one."""
    total = Edits()
    for one in edits:
        total = total + one
    return total


# -- a server that has no IIS yet: everything is new


def announced(sections: Iterable[Mapping[str, Any]]) -> list[Change]:
    """What edits of sections would change where there is nothing yet."""
    changes: list[Change] = []
    for entry in sections:
        if "problem" in entry or not entry.get("where", {}).get("known", True):
            continue
        what = entry.get("what", "")
        if entry.get("override"):
            changes.append(Change(f"{what} override mode", None, entry["override"]))
        changes += _announced_element(entry, what, made=False)
    return changes


def _announced_element(entry: Mapping[str, Any], what: str, made: bool) -> list[Change]:
    changes = _announced_settings(entry.get("set", {}), what, "", entry.get("main", ""))
    for inner in entry.get("in", {}).values():
        changes += _announced_items(inner, what, made)
    return changes + _announced_items(entry, what, made)


def _announced_settings(tree: Mapping[str, Any], what: str, path: str, main: str) -> list[Change]:
    changes: list[Change] = []
    for name, value in tree.items():
        label = what if name == main else f"{what} {path}{name}"
        if value is None:
            continue
        if isinstance(value, Mapping) and set(value) == {"secret"}:
            changes.append(Change(label, None, "***", secret=True))
        elif isinstance(value, Mapping):
            changes += _announced_settings(value, what, f"{path}{name}.", "")
        elif isinstance(value, list):
            for entry in value:
                changes += _announced_entry(entry, label)
        else:
            changes.append(Change(label, None, written(value)))
    return changes


def _announced_entry(entry: Any, label: str) -> list[Change]:
    """An item of a list; the first property that is given tells it from the others."""
    if not isinstance(entry, Mapping):
        return [Change(label, None, written(entry))]
    (_, title), *rest = entry.items()
    made = [Change(label, None, written(title))]
    return made + _announced_settings(dict(rest), f"{label} {written(title)}", "", "")


def _announced_items(entry: Mapping[str, Any], what: str, made: bool) -> list[Change]:
    prefix = f"{what} " if what else ""
    changes: list[Change] = []
    for item in entry.get("items", []):
        if item.get("present") is False:
            continue
        listed = entry.get("list", "")
        title = " ".join(written(value) for value in item["key"].values())
        label = f"{prefix}{listed} {title}" if listed else f"{prefix}{item.get('what', '')}".rstrip()
        if listed and not item.get("main"):
            changes.append(Change(f"{prefix}{listed}", None, title))
        elif not (made or item.get("main") or item.get("must")):
            changes.append(Change(label, None, "present"))
        changes += [Change(label, None, "***", secret=True) for _ in item.get("generate", [])]
        changes += _announced_element(item, label, made=not item.get("must"))
    return changes


def written(value: Any) -> str:
    """A value as IIS writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
