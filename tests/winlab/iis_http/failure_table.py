"""Every way in which a request to IIS or HttpPlatformHandler fails: how it is brought about, and what is seen then.

`python -m tests.winlab.iis_http.failure_table` runs all of them and prints the table.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.winlab.iis_http.harness import BACKEND, HANDLER, PORT, PYTHON, SITE, Reply, Web

HPH1 = "HttpPlatformHandler"
HPH2 = "IIS HttpPlatformHandler Module V2"
WAS = "Microsoft-Windows-WAS"
W3SVC = "Microsoft-Windows-IIS-W3SVC"


@dataclass(frozen=True)
class Case:
    """One failure.

    Attributes:
        arrange: makes a server that is not started yet fail so.
        ask: makes the request once it runs.
        code, hresult: what the detailed error page says; "" for an answer of HTTP.sys, which has none.
        event: source and id of the event log entry, None when there is none.
    """

    name: str
    arrange: Callable[[Web], None]
    code: str
    hresult: str = ""
    event: tuple[str, int] | None = None
    platform: str = "1.2"
    ask: Callable[[Web], Reply] = lambda web: web.request("/")
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    case: Case
    reply: Reply
    events: list[tuple[str, int]]


def run(case: Case, folder: Path) -> Row:
    """Brings one failure about."""
    web = Web(folder, case.platform, features=case.features)
    try:
        case.arrange(web)
        web.start()
        reply = case.ask(web)
        web.service.flush_logs()
        return Row(case, reply, [(e.source, e.event_id) for e in web.events()])
    finally:
        web.close()


# -- what goes wrong ----------------------------------------------------------------------------------------------------------------


def _nothing(web: Web) -> None:
    web.write(SITE + r"\index.html", "hello")


def _locked_handlers(web: Web) -> None:
    web.edit(lambda c: c.section("system.webServer/handlers").set_override_mode("Inherit"))
    web.python_site()


def _unknown_element(web: Web) -> None:
    web.web_config("<nonsense />")


def _unknown_attribute(web: Web) -> None:
    web.web_config('<defaultDocument nonsense="1" />')


def _malformed(web: Web) -> None:
    web.write(SITE + r"\web.config", "<configuration><system.webServer></configuration>")


def _unreadable_config(web: Web) -> None:
    _nothing(web)
    web.web_config("")
    web.protect(SITE + r"\web.config")


def _unreadable_folder(web: Web) -> None:
    _nothing(web)
    web.protect(SITE, "S-1-5-17")


def _missing_folder(web: Web) -> None:
    web.set_path(r"C:\inetpub\gone")


def _duplicate(web: Web) -> None:
    web.web_config(
        '<httpProtocol><customHeaders><add name="X-Powered-By" value="again" /></customHeaders></httpProtocol>'
    )


def _bad_value(web: Web) -> None:
    web.python_site(startupTimeLimit="soon")


def _out_of_range(web: Web) -> None:
    web.python_site(startupTimeLimit="3601")


def _retry_count_on_v2(web: Web) -> None:
    web.python_site(startupRetryCount="1")


def _private_file(web: Web) -> None:
    web.write(SITE + r"\secret.txt", "secret")
    web.protect(SITE + r"\secret.txt")


def _platform(**options: str) -> Callable[[Web], None]:
    return lambda web: web.python_site(**options)


def _no_python(web: Web) -> None:
    web.python_site(processPath=r"C:\nowhere\python.exe", startupRetryCount="0")


def _no_python_retried(web: Web) -> None:
    web.python_site(processPath=r"C:\nowhere\python.exe")


def _python_not_executable(web: Web) -> None:
    web.python_site(startupRetryCount="0")
    web.protect(PYTHON)


def _not_a_program(web: Web) -> None:
    web.write(r"C:\Python\notes.exe", "not a program")
    web.python_site(processPath=r"C:\Python\notes.exe", startupRetryCount="0")


def _environment(web: Web) -> None:
    """A virtual environment in C:\\venv of the Python in C:\\Python, and a site that uses it."""
    web.machine.fs.mkdir(r"C:\venv\Scripts", parents=True)
    web.write(r"C:\venv\Scripts\python.exe", web.machine.fs.read_bytes(PYTHON))
    web.write(r"C:\venv\pyvenv.cfg", "home = C:\\Python\n")
    web.python_site(processPath=r"C:\venv\Scripts\python.exe", startupRetryCount="0")


def _no_base_python(web: Web) -> None:
    _environment(web)
    web.machine.fs.remove(PYTHON)


def _private_base_python(web: Web) -> None:
    _environment(web)
    web.protect(r"C:\Python")


def _private_log_folder(web: Web) -> None:
    web.machine.fs.mkdir(r"C:\logs")
    web.protect(r"C:\logs", web.pool_sid())
    web.python_site(stdoutLogEnabled="true", stdoutLogFile=r"C:\logs\stdout")


def _tls_required(web: Web) -> None:
    web.edit(lambda c: c.section("system.webServer/security/access").set("sslFlags", 8))


def _address_denied(web: Web) -> None:
    web.edit(lambda c: c.section("system.webServer/security/ipSecurity").set("allowUnlisted", False))


def _user_denied(web: Web) -> None:
    web.web_config(
        '<security><authorization><clear /><add accessType="Allow" users="somebody" /></authorization></security>'
    )


def _script_fails(web: Web) -> None:
    web.python_site(script="raise SystemExit(3)", startupRetryCount="0")


def _never_listens(web: Web) -> None:
    web.python_site(script="import time; time.sleep(60)", startupTimeLimit="1", startupRetryCount="0")


def _listens_elsewhere(web: Web) -> None:
    script = BACKEND.replace("int(sys.argv[1])", "int(sys.argv[1]) + 1")
    web.python_site(script=script, startupTimeLimit="1", startupRetryCount="0")


def _no_folder(web: Web) -> None:
    web.python_site(stdoutLogEnabled="true", stdoutLogFile=r".\logs\stdout")


def _module_not_listed(web: Web) -> None:
    web.web_config(HANDLER)


def _pool_stopped(web: Web) -> None:
    _nothing(web)
    web.set_pool(autoStart=False)


def _no_such_pool(web: Web) -> None:
    _nothing(web)
    web.set_application(applicationPool="Gone")


def _wrong_password(web: Web) -> None:
    _nothing(web)
    web.machine.accounts.add_user("svc", "right")
    web.set_pool(
        processModel__identityType="SpecificUser", processModel__userName="svc", processModel__password="wrong"
    )


def _missing_dll(web: Web) -> None:
    _nothing(web)
    web.machine.fs.remove(r"C:\Windows\System32\inetsrv\httpPlatformHandler.dll")


def _anonymous_off(web: Web) -> None:
    _nothing(web)
    web.edit(
        lambda c: c.section("system.webServer/security/authentication/anonymousAuthentication").set("enabled", False)
    )


def _other_host(web: Web) -> None:
    def work(c: object) -> None:
        binding = web.find(c, "sites", "Site").child("bindings").collection[0]  # type: ignore[arg-type]
        binding.set("bindingInformation", f"*:{PORT}:www.example.com")

    web.edit(work)


def _folder(web: Web) -> None:
    web.machine.fs.mkdir(SITE + r"\empty")


def _get(path: str, **options: object) -> Callable[[Web], Reply]:
    return lambda web: web.request(path, **options)  # type: ignore[arg-type]


def _big_upload(web: Web) -> Reply:
    raw = web.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000001\r\n\r\n")
    return _parsed(raw)


def _after_killed_worker(web: Web) -> Reply:
    """The worker process is killed five times within five minutes."""
    for _ in range(5):
        assert web.request("/").status == 200
        (worker,) = web.processes("w3wp.exe")
        worker.kill()
        web.wait_for(lambda worker=worker: worker not in web.processes("w3wp.exe"))
    web.wait_for(lambda: web.events(WAS, 5002))
    return web.request("/")


def _after(first: str, then: str) -> Callable[[Web], Reply]:
    def ask(web: Web) -> Reply:
        assert web.request(first).status == 200
        return web.request(then)

    return ask


def _parsed(raw: bytes) -> Reply:
    import email.message
    import http.client
    import io

    head, _, body = raw.partition(b"\r\n\r\n")
    line, _, rest = head.partition(b"\r\n")
    headers = http.client.parse_headers(io.BytesIO(rest + b"\r\n\r\n"))
    assert isinstance(headers, email.message.Message)
    parts = line.decode().split(" ", 2)
    return Reply(int(parts[1]), parts[2], headers, body)


# -- the cases ----------------------------------------------------------------------------------------------------------------------

CASES: tuple[Case, ...] = (
    Case("handlers section locked", _locked_handlers, "500.19", "0x80070021"),
    Case("unknown element in web.config", _unknown_element, "500.19", "0x8007000d"),
    Case("unknown attribute in web.config", _unknown_attribute, "500.19", "0x8007000d"),
    Case("web.config is not XML", _malformed, "500.19", "0x8007000d"),
    Case("HttpPlatformHandler is not installed", _platform(), "500.19", "0x8007000d", platform=""),
    Case("value of the wrong type", _bad_value, "500.19", "0x8007000d"),
    Case("value out of range", _out_of_range, "500.19", "0x8007000d"),
    Case("startupRetryCount under version 2", _retry_count_on_v2, "500.19", "0x8007000d", platform="2"),
    Case("duplicate collection entry", _duplicate, "500.19", "0x800700b7"),
    Case("web.config not readable by the pool's identity", _unreadable_config, "500.19", "0x80070005"),
    Case("site's folder not readable by the pool's identity", _unreadable_folder, "500.19", "0x80070005"),
    Case("site's folder is missing", _missing_folder, "500.19", "0x80070003"),
    Case("module not in the list of modules", _module_not_listed, "500.21", "0x8007000d", platform=""),
    Case("file not readable by IUSR", _private_file, "401.3", "0x80070005", ask=_get("/secret.txt")),
    Case("no authentication is on", _anonymous_off, "401.2", "0x80070005"),
    Case("TLS required", _tls_required, "403.4", "0x00000000"),
    Case("address not let in", _address_denied, "403.6", "0x00000000", features=("Web-IP-Security",)),
    Case("user not let in", _user_denied, "401.2", "0x80070005", features=("Web-Url-Auth",)),
    Case("no such file", _nothing, "404.0", "0x80070002", ask=_get("/nothing.html")),
    Case("no MIME type", lambda web: web.write(SITE + r"\a.unknown", "x"), "404.3", "0x80070032", ask=_get("/a.unknown")),
    Case("denied verb", lambda web: web.web_config(
        '<security><requestFiltering><verbs><add verb="PATCH" allowed="false" /></verbs></requestFiltering></security>'
    ), "404.6", "0x00000000", ask=_get("/", method="PATCH")),
    Case("denied file extension", _nothing, "404.7", "0x00000000", ask=_get("/settings.cs")),
    Case("hidden segment", _nothing, "404.8", "0x00000000", ask=_get("/web.config")),
    Case("double escaping", _nothing, "404.11", "0x00000000", ask=_get("/a%252fb")),
    Case("body over maxAllowedContentLength", _nothing, "404.13", "0x00000000", ask=_big_upload),
    Case("URL over maxUrl", _nothing, "404.14", "0x00000000", ask=_get("/" + "/".join(["a" * 200] * 25))),
    Case("query over maxQueryString", _nothing, "404.15", "0x00000000", ask=_get("/?" + "q" * 2049)),
    Case("folder without a default document", _folder, "403.14", "0x00000000", ask=_get("/empty/")),
    Case("POST to a static file", _nothing, "405.0", "0x80070001", ask=_get("/index.html", method="POST", body=b"x")),
    Case("host name that no binding has", _other_host, "400"),
    Case("URL that is none", _nothing, "400", ask=lambda web: _parsed(web.raw(b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"))),
    Case("POST without a length", _nothing, "411", ask=lambda web: _parsed(web.raw(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n"))),
    Case("headers over 16 KB", _nothing, "400", ask=_get("/", headers={"X": "y" * 17000})),
    Case("pool stopped", _pool_stopped, "503"),
    Case("pool that does not exist", _no_such_pool, "503"),
    Case("pool identity with a wrong password", _wrong_password, "503", event=(WAS, 5057)),
    Case("module DLL missing", _missing_dll, "503", event=(WAS, 5002)),
    Case("rapid-fail protection of the pool", _nothing, "503", event=(WAS, 5002), ask=_after_killed_worker),
    Case("processPath not found", _no_python, "502.3", "0x80070002", (HPH1, 1000)),
    Case("processPath not found, tried again", _no_python_retried, "502.3", "0x8007053d", (HPH1, 1003)),
    Case("processPath not executable by the identity", _python_not_executable, "502.3", "0x80070005", (HPH1, 1000)),
    Case("processPath is no program", _not_a_program, "502.3", "0x800700c1", (HPH1, 1000)),
    Case("virtual environment without its base Python", _no_base_python, "502.3", "0x80004005", (HPH1, 1000)),
    Case("base Python not readable by the identity", _private_base_python, "502.3", "0x80004005", (HPH1, 1000)),
    Case("process ends while starting", _script_fails, "502.3", "0x80004005", (HPH1, 1000)),
    Case("process does not listen in time", _never_listens, "502.3", "0x800705b4", (HPH1, 1000)),
    Case("process listens on another port", _listens_elsewhere, "502.3", "0x800705b4", (HPH1, 1000)),
    Case("process dies during a request", _platform(), "502.3", "0x80072efe", (HPH1, 1001), ask=_get("/die")),
    Case("process closes without an answer", _platform(), "502.3", "0x80072efe", (HPH1, 1001), ask=_get("/hangup")),
    Case("answer is not HTTP", _platform(), "502.3", "0x80072f78", (HPH1, 1001), ask=_get("/garbage")),
    Case("folder of the log is missing", _no_folder, "200", "", (HPH1, 1004)),
    Case("folder of the log not writable by the identity", _private_log_folder, "200", "", (HPH1, 1004)),
    Case("v2: processPath not found", lambda web: web.python_site(processPath=r"C:\nowhere\python.exe"),
         "502.5", "", (HPH2, 1020), platform="2"),
    Case("v2: process ends while starting", lambda web: web.python_site(script="raise SystemExit(3)"),
         "502.5", "", (HPH2, 1020), platform="2"),
    Case("v2: process does not listen in time",
         lambda web: web.python_site(script="import time; time.sleep(60)", startupTimeLimit="1"),
         "502.5", "", (HPH2, 1020), platform="2"),
    Case("v2: request takes longer than requestTimeout", lambda web: web.python_site(requestTimeout="00:00:01"),
         "502.3", "0x80072ee2", (HPH2, 1001), platform="2", ask=_get("/slow?5")),
    Case("v2: process dies during a request", _platform(), "502.3", "0x80072efe", (HPH2, 1001), platform="2", ask=_get("/die")),
    Case("v2: app_offline.htm", lambda web: (web.python_site(), web.write(SITE + r"\app_offline.htm", "away"))[0],
         "503", "", platform="2"),
)  # fmt: skip


def main() -> int:
    """Runs all cases and prints the table."""
    failed = 0
    print(f"{'failure':<52} {'status':<8} {'HRESULT':<11} event")
    for case in CASES:
        with tempfile.TemporaryDirectory(prefix="winlab-") as folder:
            row = run(case, Path(folder) / "server")
        wanted = (case.code, case.hresult)
        seen = (row.reply.code, row.reply.hresult)
        event = " ".join(map(str, case.event)) if case.event else ""
        ok = wanted == seen and (case.event is None or case.event in row.events)
        failed += not ok
        print(
            f"{case.name:<52} {seen[0]:<8} {seen[1]:<11} {event}{'' if ok else f'   expected {wanted}, events {row.events}'}"
        )
    print(f"{len(CASES) - failed} of {len(CASES)} as documented")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
