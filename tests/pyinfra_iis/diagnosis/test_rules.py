"""The rules, on evidence that was recorded from a server (`recorded/`), and on changes of it for what a lab does not have."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pyinfra_iis.diagnosis import Diagnosis, Kind, examine

RECORDED = Path(__file__).parent / "recorded"
Told = dict[str, Any]


def recorded(name: str) -> Told:
    return json.loads((RECORDED / f"{name}.json").read_text("utf-8"))


def causes(told: Told) -> list[str]:
    return [finding.rule for finding in examine(told).causes]


def notices(told: Told) -> list[str]:
    return [finding.rule for finding in examine(told).notices]


def test_a_sound_site_is_healthy() -> None:
    found = examine(recorded("sound"))
    assert found == Diagnosis("plain", True, "http://localhost:8020/ answers 200", (), (), {})


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.json") if path.stem != "sound"))
def test_recorded_failures(name: str) -> None:
    told = recorded(name)
    found = examine(told)
    first = next(iter([*found.causes, *found.notices]))
    assert first.rule == name
    for finding in [*found.causes, *found.notices]:
        for command in finding.commands:
            assert command in finding.fix
        for text in (finding.cause, finding.evidence, finding.fix):
            assert text.endswith(".") and "\n" not in text and not text.endswith("..")
    assert json.loads(json.dumps(found.to_dict()))["site"] == "plain"


@pytest.mark.parametrize(
    "words",
    [
        ("Dateiname: ", "Zeilennummer: ", "Fehler: "),
        ("Nom de fichier : ", "Numéro de ligne : ", "Erreur : "),
        ("ファイル名: ", "行番号: ", "エラー: "),
    ],
    ids=["German", "French", "Japanese"],
)
@pytest.mark.parametrize("name", ["section-locked", "handler-not-installed", "web-config-malformed"])
def test_servers_of_other_languages(name: str, words: tuple[str, str, str]) -> None:
    """There the lines of an error of IIS's configuration begin with other words, and so do the rows of its pages."""
    told = recorded(name)
    for error in told["configuration"]["errors"]:
        for english, word in zip(("Filename: ", "Line number: ", "Error: "), words, strict=True):
            error["fault"]["message"] = error["fault"]["message"].replace(english, word)
    for request in told["request"]["requests"]:
        request["body"] = re.sub("<th>[^<]*</th>", "<th>xyz</th>", request["body"])
    assert examine(told).causes == examine(recorded(name)).causes


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.json")))
def test_what_the_server_could_not_tell_stops_nothing(name: str) -> None:
    told = recorded(name)
    for part in told:
        if part != "asked":
            assert list(examine({**told, part: {"error": "it did not say"}}).blind) == [part]
            assert examine({**told, part: None}).blind == {}
            assert examine({key: value for key, value in told.items() if key != part}).blind == {}
    assert examine({}).blind == {}


def test_a_rule_that_trips_does_not_keep_the_others_from_speaking() -> None:
    told = recorded("pool-stopped")
    del told["site"]["pool"]["auto_start"]  # as if another Windows did not tell it
    found = examine({**told, "server": {**told["server"], "restart": ["Windows Update"]}})
    assert list(found.blind) == ["rule pool-stopped"]
    assert found.notices[0].rule == "restart-pending"


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.json")))
def test_an_application_that_is_not_there_has_no_other_failure(name: str) -> None:
    """Nor a pool, to which everything in the event log would belong."""
    told = recorded(name)
    if told["site"]["target"]:
        told["site"] |= {
            "target": {**told["site"]["target"], "application": False, "pool": "", "path": "", "folder": ""},
            "pool": None,
        }
        told |= {"configuration": None, "request": None}
        event(
            told, "Microsoft-Windows-IIS-W3SVC-WP", 2280, "The Module DLL x.dll failed to load.  The data is the error."
        )
        event(told, "Microsoft-Windows-WAS", 5021, "The identity of application pool plain is invalid.")
        assert causes(told)[0] == "application-missing"
        assert not {"pool-identity", "module-missing"} & set(causes(told))
        assert examine(told).blind == {}


def test_a_general_cause_only_counts_without_a_better_one() -> None:
    for path in RECORDED.glob("*.json"):
        found = examine(json.loads(path.read_text("utf-8"))).causes
        assert not [item for item in found if item.kind is Kind.GENERAL] or len(found) == 1


# -- what the lab does not have -------------------------------------------------------------------------------------------------------------


def printed(text: str, told: Told | None = None) -> Told:
    """A process that ended with this output."""
    changed = copy.deepcopy(told or recorded("exception-at-start"))
    changed["request"]["fresh"] = text.replace("\n", "\r\n")
    return changed


def answered(status: int, text: str = "", body: str = "", **headers: str) -> Told:
    """The application answers so, and prints that."""
    changed = copy.deepcopy(recorded("sound"))
    changed["request"]["requests"][0] |= {"status": status, "body": body, "headers": headers}
    changed["request"]["fresh"] = text
    return changed


@pytest.mark.parametrize(
    ("output", "rule"),
    [
        ("ERROR:    [WinError 10013] An attempt was made to access a socket in a way forbidden by its access permissions\n", "port-forbidden"),
        ("ERROR:    [Errno 10048] error while attempting to bind on address ('127.0.0.1', 8000): only one usage of each socket address\n", "port-in-use"),
        ("Traceback (most recent call last):\nAttributeError: 'NoneType' object has no attribute 'fileno'\n", "standard-input-missing"),
        ("failed to locate pyvenv.cfg: The system cannot find the file specified.\n", "virtual-environment-broken"),
        ('ERROR:    Error loading ASGI app. Attribute "app" not found in module "main".\n', "application-not-found"),
        ('ERROR:    Error loading ASGI app. Could not import module "main".\n', "application-not-found"),
        ("django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.\n", "settings-invalid"),
        ("django.core.exceptions.ImproperlyConfigured: The environment variable DJANGO_SECRET_KEY is not set.\n", "variable-missing"),
        ("OSError: [Errno 28] No space left on device\n", "disk-full"),
        ("ModuleNotFoundError: No module named 'encodings'\n", "python-incomplete"),
    ],
)  # fmt: skip
def test_output_of_a_process_that_does_not_start(output: str, rule: str) -> None:
    assert causes(printed(output))[0] == rule


def test_workers_of_uvicorn() -> None:
    told = printed("OSError: [WinError 87] The parameter is incorrect\n")
    told["configuration"]["platform"]["values"]["arguments"] = (
        "-m uvicorn app:app --port %HTTP_PLATFORM_PORT% --workers 4"
    )
    assert causes(told)[0] == "worker-processes"


@pytest.mark.parametrize(
    ("status", "output", "rule"),
    [
        (400, "WARNING Invalid HTTP_HOST header: 'shop:8020'. You may need to add 'shop' to ALLOWED_HOSTS.", "allowed-hosts"),
        (400, "", "bad-request"),
        (400, "django.core.exceptions.RequestDataTooBig: Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE.", "upload-too-large"),
        (500, "TypeError: WSGIHandler.__call__() missing 1 required positional argument: 'start_response'", "interface-wrong"),
        (500, "TypeError: WSGIHandler.__call__() takes 3 positional arguments but 4 were given", "interface-wrong"),
        (500, "django.db.utils.OperationalError: attempt to write a readonly database", "database-read-only"),
        (500, "django.db.utils.OperationalError: no such table: django_session", "database-not-migrated"),
        (500, 'django.db.utils.OperationalError: connection to server at "db" failed: Connection refused', "database-unreachable"),
        (500, "ValueError: Missing staticfiles manifest entry for 'app.css'", "static-files-missing"),
        (500, "ValueError: '10.0.0.1:51234' does not appear to be an IPv4 or IPv6 address", "forwarded-for-port"),
        (500, "ZeroDivisionError: division by zero", "exception"),
        (500, "", "application-error"),
        (0, "OSError: [WinError 64] The specified network name is no longer available", "listener-dead"),
    ],
)  # fmt: skip
def test_answers_of_the_application(status: int, output: str, rule: str) -> None:
    told = answered(status, output)
    told["request"]["requests"][0]["problem"] = "" if status else "The operation has timed out"
    assert causes(told)[0] == rule


@pytest.mark.parametrize(
    ("output", "rule"),
    [
        ("Forbidden (Origin checking failed - https://shop.example.com does not match any trusted origins.): /login/", "csrf-origin"),
        ("Warning: StreamingHttpResponse must consume synchronous iterators in order to serve them asynchronously.", "iterator-under-asgi"),
        ("WARNING:  No supported WebSocket library detected.", "websocket-library"),
    ],
)  # fmt: skip
def test_notices_in_the_output(output: str, rule: str) -> None:
    told = answered(200, output)
    assert (causes(told), notices(told)) == ([], [rule])


def event(told: Told, source: str, number: int, text: str) -> None:
    time = told["request"]["began"] if told["request"] else datetime.now(UTC).isoformat()
    told["logs"]["events"].insert(0, {"time": time, "source": source, "id": number, "level": 2, "text": text})


def unavailable() -> Told:
    """503 of HTTP.sys."""
    told = answered(503, "", "", Server="Microsoft-HTTPAPI/2.0")
    told["site"]["pool"]["state"] = "Stopped"
    return told


def test_the_build_that_crashes() -> None:
    told = unavailable()
    event(
        told,
        "Application Error",
        1000,
        "Faulting application name: w3wp.exe, faulting module name: httpPlatformHandler.dll",
    )
    event(told, "Microsoft-Windows-WAS", 5002, "Application pool 'plain' is being automatically disabled")
    assert causes(told)[0] == "handler-crash"


def test_32_bit_processes() -> None:
    told = unavailable()
    told["site"]["pool"]["bits32"] = True
    event(
        told,
        "Microsoft-Windows-IIS-W3SVC-WP",
        2280,
        "The Module DLL httpPlatformHandler.dll failed to load.  The data is the error.",
    )
    assert causes(told) == ["pool-32-bit"]


def test_a_full_queue() -> None:
    told = unavailable()
    told["site"]["pool"]["state"] = "Started"
    told["logs"]["refused"] = (
        "#Fields: date time\r\n2026-11-22 16:00:00 10.0.0.1 1 10.0.0.2 80 HTTP/1.1 GET / 503 1 QueueFull plain\r\n"
    )
    assert causes(told) == ["queue-full"]


def test_a_program_that_windows_forbids() -> None:
    told = copy.deepcopy(recorded("program-missing"))
    for item in told["files"]["paths"]:
        if item["role"] == "program":
            item |= {"exists": True, "kind": "file", "access": 0x1F01FF}
    body = told["request"]["requests"][0]["body"]
    told["request"]["requests"][0]["body"] = re.sub(r"0x[0-9a-f]{8}", "0x80070005", body)
    assert causes(told) == ["program-denied"]


def certificate(**changes: Any) -> Told:
    """The site with an https binding and its certificate."""
    told = copy.deepcopy(recorded("sound"))
    site = next(item for item in told["site"]["sites"] if item["name"] == "plain")
    site["bindings"].append(
        {"protocol": "https", "information": "*:443:www.example.com", "certificate": "AB12", "store": "My", "flags": 1}
    )
    told["site"]["certificates"] = [
        {
            "store": "My",
            "thumbprint": "AB12",
            "subject": "CN=www.example.com",
            "name": "www.example.com",
            "from": "2020-01-01T00:00:00Z",
            "until": "2099-01-01T00:00:00Z",
            "private_key": True,
        }
        | changes
    ]
    return told


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"until": "2021-01-01T00:00:00Z"}, "certificate-expired"),
        ({"from": "2098-01-01T00:00:00Z"}, "certificate-expired"),
        ({"private_key": False}, "certificate-no-key"),
        ({"thumbprint": "CD34"}, "certificate-gone"),
    ],
)
def test_certificates_that_break_the_binding(changes: dict[str, Any], rule: str) -> None:
    told = certificate(**changes)
    assert causes(told) == [rule]
    assert not examine(told).healthy


def test_a_redirect_to_https_is_an_answer_where_https_is_asked_too() -> None:
    told = certificate()
    plain = told["request"]["requests"][0]
    secure = copy.deepcopy(plain) | {"binding": "https/*:443:www.example.com"}
    plain |= {"status": 301, "headers": {"Location": "https://www.example.com/"}}
    assert not examine(told, 200).healthy
    told["request"]["requests"].append(secure)
    assert examine(told, 200).healthy
    secure["status"] = 404
    assert not examine(told, 200).healthy


def test_certificates_to_look_at() -> None:
    assert (causes(certificate()), notices(certificate())) == ([], [])
    assert notices(certificate(name="other.example.com")) == ["certificate-name"]
    told = certificate()
    told["request"]["requests"][0]["certificate"] = ["is not for www.example.com"]
    assert notices(told) == []
    told["request"]["requests"][0]["certificate"] += ["is self-signed"]
    assert notices(told) == ["certificate-untrusted"]
    told = certificate(until=recorded("sound")["request"]["began"].replace("T", "T"))
    told["request"]["began"] = "2026-01-01T00:00:00Z"
    told["site"]["certificates"][0]["until"] = "2026-01-10T00:00:00Z"
    assert notices(told) == ["certificate-ends-soon"]


def released(**changes: Any) -> Callable[[Told], Told]:
    """The site is a release of the deploy."""

    def change(told: Told) -> Told:
        release: dict[str, Any] = {"root": r"C:\inetpub\shop", "id": "r1", "bad": "", "lock": None, "partial": []}
        release |= {"maintenance": False, "draining": False, "record": True}
        told["files"]["release"] = release | changes
        return told

    return change


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"lock": {"by": "me", "since": "now", "process": 7, "alive": True}}, "deploy-running"),
        ({"partial": [r"C:\inetpub\shop\releases\r2.partial"]}, "release-half-done"),
        ({"bad": "marked bad"}, "release-bad"),
        ({"draining": True}, "draining"),
    ],
)
def test_what_lies_around_a_release(changes: dict[str, Any], rule: str) -> None:
    assert notices(released(**changes)(recorded("sound"))) == [rule]


def test_a_lock_whose_process_is_gone_holds_nothing() -> None:
    lock = {"by": "me", "since": "now", "process": 7, "alive": False}
    assert notices(released(lock=lock)(recorded("sound"))) == []


def test_maintenance() -> None:
    told = released(maintenance=True)(answered(503, "", "back soon"))
    assert causes(told) == ["maintenance"]
    assert causes(released(maintenance=True)(recorded("sound"))) == []


def test_the_server() -> None:
    told = recorded("sound")
    told["server"]["disks"] = [{"name": "C:\\", "free": 0, "size": 10**11}]
    assert causes(told) == ["disk-full"]
    told["server"]["disks"][0]["free"] = 10**9
    assert notices(told) == ["disk-scarce"]
    told = recorded("sound")
    told["asked"] |= {"before": "2026-01-01T00:00:00+00:00", "after": "2026-01-01T00:00:01+00:00"}
    assert notices(told) == ["clock-wrong"]


def test_no_iis_at_all() -> None:
    assert causes({"site": {"installed": False, "services": {}}, "asked": {"site": "plain"}}) == ["iis-missing"]


def test_an_old_failure_of_the_pool_explains_nothing_today() -> None:
    """The pool was disabled in the night; it has answered since, and now somebody has stopped it."""
    told = unavailable()
    night = "2026-01-01T03:00:00Z"
    told["logs"]["events"] = [
        {
            "time": night,
            "source": "Microsoft-Windows-WAS",
            "id": 5002,
            "level": 2,
            "text": "Application pool 'plain' is disabled",
        }
    ]
    told["request"]["began"] = "2026-01-01T12:00:00Z"
    told["logs"]["fields"] = "#Fields: date time cs-method cs-uri-stem sc-status sc-substatus sc-win32-status"
    told["logs"]["requests"] = "2026-01-01 11:00:00 GET / 200 0 0\r\n"
    assert causes(told) == ["pool-stopped"]
    told["logs"]["requests"] = "2026-01-01 02:00:00 GET / 200 0 0\r\n"
    assert causes(told) == ["pool-rapid-fail"]


def test_the_log_tells_what_a_custom_error_page_hides() -> None:
    told = recorded("sound")
    told["request"]["requests"][0] |= {"status": 500, "body": "<html>Sorry</html>"}
    told["request"]["began"] = "2026-01-01T12:00:00Z"
    told["logs"]["fields"] = "#Fields: date time cs(User-Agent) sc-status sc-substatus sc-win32-status"
    told["logs"]["requests"] = "2026-01-01 12:00:00 pyinfra-iis-diagnose 500 19 33\r\n"
    told["logs"]["requests"] += ""
    found = examine(told)
    assert found.answer.endswith("answers 500.19, 0x80070021")


@pytest.mark.parametrize(("status", "accepted"), [(200, True), (404, True), (302, True), (400, False), (500, False)])
def test_what_counts_as_healthy(status: int, accepted: bool) -> None:
    assert examine(answered(status)).healthy is accepted
    assert examine(answered(status), status=status).healthy
    assert not examine(answered(status), status=204).healthy
