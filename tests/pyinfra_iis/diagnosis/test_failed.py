"""What is said of a release that did not get healthy in a deploy."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pyinfra.api import Host, State
from pyinfra.connectors.util import CommandOutput, OutputLine

from pyinfra_iis.diagnosis import examine
from pyinfra_iis.diagnosis.failed import of_site
from pyinfra_iis.operations.explained import WaitingScript, start_causes, with_causes
from pyinfra_iis.operations.iis import HealthCheck
from pyinfra_iis.powershell import Batch
from tests.pyinfra_iis.diagnosis.test_rules import recorded

QUIET = cast(State, SimpleNamespace(print_output=False, print_input=False))
NOBODY = cast(Host, SimpleNamespace(print_prefix="", name="web1"))
STARTED = {
    "pool": "shop",
    "program": r"C:\inetpub\shop\venvs\ab\Scripts\python.exe",
    "arguments": ["-m", "uvicorn", "shop.asgi:application", "--port", "%HTTP_PLATFORM_PORT%"],
    "environment": {"PYTHONUTF8": "1"},
    "timeout": 7,
}
ENDS = "release r1 ends with exit code 1 when it is started; it was not made live."
SILENT = "release r1 does not listen on its port after 7 seconds; it was not made live."
CHECK = HealthCheck("plain", "http://localhost:8020/", "", timeout=7)


def printed(*errors: str) -> CommandOutput:
    return CommandOutput([OutputLine("stdout", "put 9 files together"), *[OutputLine("stderr", one) for one in errors]])


def said(output: CommandOutput) -> list[str]:
    return output.stderr_lines


@pytest.mark.parametrize(
    ("tail", "sentence", "rule"),
    [
        (["ModuleNotFoundError: No module named 'shop.orders'"], ENDS, "python-module-missing"),
        (['  File "<frozen os>", line 679, in __getitem__', "KeyError: 'SHOP_KEY'"], ENDS, "variable-missing"),
        (["SyntaxError: invalid syntax"], ENDS, "syntax-error"),
        (['ERROR: Error loading ASGI app. Attribute "app" not found in module "shop.asgi".'], ENDS, "application-not-found"),
        (["INFO:     Waiting for application startup."], SILENT, "start-too-slow"),
        (["Invalid HTTP_HOST header: 'shop:80'. You may need to add 'shop' to ALLOWED_HOSTS."],
         "release r1 answers 400 to GET /; it was not made live.", "allowed-hosts"),
        (["django.db.utils.OperationalError: no such table: shop_order"],
         "release r1 answers 500 to GET /orders/; it was not made live.", "database-not-migrated"),
        (["ZeroDivisionError: division by zero"], "release r1 answers 503 to GET /; it was not made live.", "exception"),
        (["ModuleNotFoundError: No module named 'shop.orders'"], "python.exe manage.py check --deploy failed with exit code 1.",
         "python-module-missing"),
        (['django.db.utils.OperationalError: connection to server at "db" failed: Connection refused'],
         "python.exe manage.py migrate --noinput failed with exit code 1.", "database-unreachable"),
    ],
)  # fmt: skip
def test_a_start_that_fails(tail: list[str], sentence: str, rule: str) -> None:
    lines = said(start_causes(QUIET, NOBODY, printed(*tail, sentence), STARTED))
    assert lines[: len(tail)] == tail
    assert lines[-1] == sentence
    cause, evidence, fix = lines[len(tail) : -1]
    assert (cause[:7], evidence[:9], fix[:4]) == ("Cause: ", "Evidence:", "Fix:")
    assert fix.endswith(f"(docs/failures/{rule}.md)")


@pytest.mark.parametrize(
    "arguments",
    [
        "-m uvicorn app:app --host 127.0.0.1 --port 8765",
        "-m uvicorn app:app --port=8765 --host 127.0.0.1",
        "-m hypercorn app:app --bind 127.0.0.1:8765",
        "-m waitress --listen=*:8765 app:app",
        "-m http.server --bind 127.0.0.1 8765",
        "-m http.server 8765 --bind 127.0.0.1",
        "manage.py runserver 127.0.0.1:8765 --noreload",
        "manage.py runserver --noreload 8765",
    ],
)
def test_a_fixed_port_is_seen_in_the_arguments(arguments: str) -> None:
    started = {**STARTED, "arguments": arguments.split()}
    lines = said(start_causes(QUIET, NOBODY, printed("", SILENT), started))
    assert "listens on port 8765 instead" in lines[1]
    assert lines[3].endswith("port-ignored.md)")


@pytest.mark.parametrize(
    "lines",
    [
        [
            "ModuleNotFoundError: No module named 'setuptools'",
            "python.exe -m pip install shop failed with exit code 1.",
        ],
        ["release r1 is not what its manifest says."],
        ["nothing that is known", ENDS],
        [
            "SystemCheckError: System check identified some issues",
            "python.exe manage.py check failed with exit code 1.",
        ],
        [],
    ],
)
def test_other_failures_are_left_as_they_are(lines: list[str]) -> None:
    assert said(start_causes(QUIET, NOBODY, printed(*lines), STARTED)) == lines


def test_a_diagnosis_that_fails_hides_nothing() -> None:
    def diagnose() -> None:
        raise ValueError("no JSON")

    output = with_causes(QUIET, NOBODY, printed("tail", "it answers 500."), diagnose)
    looked = "What is wrong could not be looked into: ValueError: no JSON"
    assert said(output) == ["tail", looked, "it answers 500."]
    assert output.stdout_lines == ["put 9 files together"]


# -- a site ---------------------------------------------------------------------------------------------------------------------------------

SENTENCE = "plain on WEB1 answers 502 at http://localhost:8020/ after 7 seconds. Release r0 is live again."


def seen(told: dict[str, Any], **more: object) -> dict[str, Any]:
    """What a switch sees of a release, when that is as recorded."""
    request = told["request"]["requests"][0]
    answer = {"status": request["status"], "release": "", "problem": request["problem"], "body": request["body"]}
    answer["server"] = request["headers"].get("Server", "")
    times = {"began": told["request"]["began"], "ended": told["request"]["ended"]}
    return {**times, "answer": answer, "log": r"C:\logs\stdout_1.log", "output": told["request"]["fresh"], **more}


class Server:
    """A host whose script fails, and which then tells what was recorded."""

    name = "web1"
    print_prefix = ""

    def __init__(self, lines: list[OutputLine], told: dict[str, Any] | None) -> None:
        self.lines, self.told = lines, told
        self.asked: list[str] = []

    def run_shell_command(self, command: Any, **arguments: Any) -> tuple[bool, CommandOutput]:
        self.asked.append(type(command).__name__)
        if not isinstance(command, Batch):
            return not self.lines, CommandOutput(self.lines)
        if self.told is None:
            raise OSError("the connection is gone")
        parts = [
            self.told["handlers" if name.startswith("http") else name.partition("/")[2]] for name, _ in command.calls
        ]
        return True, CommandOutput([OutputLine("stdout", json.dumps([{"result": part} for part in parts]))])


def wait(server: Server) -> list[str]:
    script = WaitingScript("release/switch", {"root": "C:\\"}, CHECK, r"C:\inetpub\plain\releases\r1")
    assert script.request["health"]["explain"] is True
    _, output = script.execute(QUIET, cast(Host, server), cast(Any, {}))
    assert not [line for line in output.stdout_lines if "seen" in line]
    return said(output)


def failing(name: str, **more: object) -> Server:
    told = recorded(name)
    line = json.dumps({"seen": seen(told, **more)})
    lines = [OutputLine("stderr", "the log's end"), OutputLine("stdout", line), OutputLine("stderr", SENTENCE)]
    return Server(lines, {**told, "request": None})


@pytest.mark.parametrize(
    "name", ["python-access", "variable-missing", "section-locked", "start-too-slow", "pool-stopped"]
)
def test_the_failed_release_is_judged_by_what_was_seen_of_it(name: str) -> None:
    lines = wait(failing(name))
    assert (lines[0], lines[-1]) == ("the log's end", SENTENCE)
    assert lines[1].startswith("Cause: ")
    assert lines[3].endswith(f"(docs/failures/{name}.md)")


def test_while_all_is_well_nothing_is_asked() -> None:
    server = Server([], None)
    assert wait(server) == []
    assert server.asked == ["WaitingScript"]


def test_what_happened_later_is_of_the_release_that_was_put_back() -> None:
    told = recorded("variable-missing")
    later = {**told["logs"]["events"][0], "time": "2099-01-01T00:00:00Z", "text": "later"}
    logs = {
        **told["logs"],
        "events": [later, *told["logs"]["events"]],
        "output": [{"path": "new", "time": "", "text": "KeyError: 'NEW'"}],
    }
    evidence = of_site({**told, "request": None, "logs": logs}, seen(told), "http://localhost:8020/", "")
    assert examine(evidence) == examine(of_site({**told, "request": None}, seen(told), "http://localhost:8020/", ""))
    assert "'NEW'" not in json.dumps(evidence)


def test_a_script_that_fails_before_it_asks_is_left_as_it_is() -> None:
    server = Server([OutputLine("stderr", "The site plain is gone from WEB1.")], None)
    assert wait(server) == ["The site plain is gone from WEB1."]
    assert server.asked == ["WaitingScript"]


def test_a_server_that_does_not_tell_more_hides_nothing() -> None:
    server = failing("variable-missing")
    server.told = None
    lines = wait(server)
    assert (lines[0], lines[-1]) == ("the log's end", SENTENCE)
    assert "the connection is gone" in lines[1]


def test_certificates_are_only_judged_where_one_is_sent() -> None:
    """What nothing can call does not travel; it does where a binding's certificate needs the same functions."""
    secure = HealthCheck("plain", "https://localhost:8443/")
    for name in ("release/switch", "release/go_live", "iis/await_health"):
        assert "function Get-CertificateFaults" in WaitingScript(name, {}, secure).text
        assert "function Get-CertificateFaults" not in WaitingScript(name, {}, CHECK).text
    assert "function Test-CertificateName" in WaitingScript("release/go_live", {}, CHECK).text
    assert "function Test-CertificateName" not in WaitingScript("release/switch", {}, CHECK).text
