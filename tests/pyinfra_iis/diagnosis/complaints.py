"""What the field complains of and what IIS itself says of failures, line by line of the notes that this project was made from: which case of
`tests/e2e/diagnose_cases.py` brings it about, or why none does.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Complaint:
    """A line of the notes.

    Attributes:
        quote: where it is known by, as the notes have it.
        cases: names of cases.
        tests: names of further tests in `tests/e2e/test_diagnose.py`.
        reason: why no case brings it about, where none does.
    """

    quote: str
    cases: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    reason: str = ""


_LOCKED = "handlers are locked (visualstudio-docs 8225, IISIntegration 24)"
_MISSING = "HttpPlatformHandler is not installed (visualstudio-docs 4645)"
_TWO = "version 2.0 is installed beside 1.2 (httpbridge 14, 15)"
_CRASH = "HttpPlatformHandler itself crashes w3wp.exe (IISIntegration 35, AspNetCoreModule 25)"
_NO_PROGRAM = "processPath names nothing (passcore 33)"
_LOG_DENIED = "the folder of the log may not be written (aspnetcore 1336)"
_PROFILE = "the Python lies in a user's profile (mamba 3151, waitress 430)"
_UPLOAD = "an upload is larger than maxAllowedContentLength"
_SOCKETS = "sockets that stay open delay the end of the old process (WebSockets 169)"
_WHITENOISE = "static files under ASGI (whitenoise 531)"

COMPLAINTS = {
    1: Complaint("visualstudio-docs#8225", (_LOCKED, "2.0: handlers are locked")),
    2: Complaint("visualstudio-docs#4645", (_MISSING,)),
    3: Complaint("visualstudio-docs#4361", ("FastCGI's handler is mixed in (visualstudio-docs 4361)",)),
    4: Complaint("IISIntegration#24", (_LOCKED,)),
    5: Complaint("IISIntegration#8", ("a process that is no child of it listens (IISIntegration 8)",)),
    6: Complaint(
        "IISIntegration#34",
        ("it reloads itself: the child that listens ends, another one comes (IISIntegration 34)", "it would reload itself"),
    ),
    7: Complaint("AspNetCoreModule#25", (_CRASH,)),
    8: Complaint("passcore#33", (_NO_PROGRAM, "2.0: processPath names nothing")),
    9: Complaint("aspnetcore#1336", (_LOG_DENIED, "the folder of the log is missing")),
    10: Complaint(
        "pyenv-win#321",
        (
            "the Python behind the environment is gone (pyenv-win 321)",
            "the environment was made from a Python in a user's profile (pyenv-win 321)",
        ),
    ),
    11: Complaint("waitress#430", (_PROFILE,)),
    12: Complaint(
        "httpbridge#1", ("it may not write its own log (httpbridge 1)", "2.0: it may not write its own log (httpbridge 1)")
    ),
    13: Complaint("httpbridge#14", (_TWO, "2.0: startupRetryCount (httpbridge 13)")),
    14: Complaint("httpbridge#16", ("2.0: the handler's schema is gone (httpbridge 16)", "the handler's DLL has been deleted")),
    15: Complaint("httpbridge#6", reason="an open limit of the handler: the site answers well, and nothing on the server tells of it"),
    16: Complaint("httpbridge#5", reason="IIS Express is for developers' machines; environments in a profile are complaint 11"),
    17: Complaint(
        "hypercorn#231",
        ("it wants a port that is reserved (hypercorn 231)", "it listens on a fixed port", "its port is taken"),
    ),
    18: Complaint("uvicorn#1951", ("uvicorn before 0.22 wants a standard input (uvicorn 1951)",)),
    19: Complaint("uvicorn#342", ("workers of uvicorn's own (uvicorn 342, 484)",)),
    20: Complaint("5747705", ("it has lost its listener and lives on (answers 5747705, cpython 93821)",)),
    21: Complaint("django-axes#184", ("it does not expect the port in X-Forwarded-For (django-axes 184)",)),
    22: Complaint("whitenoise#531", (_WHITENOISE,)),
    23: Complaint("waitress#426", ("an ASGI application under a WSGI server (waitress 426)",)),
    24: Complaint(
        "open-webui#24579", reason="frames that a browser and the application do not understand: nothing on the server tells of them"
    ),
    25: Complaint("flask#5283", reason="a limit of version 1.2: the answer comes, only late; nothing on the server tells of it"),
    26: Complaint("WebSockets#169", (_SOCKETS,)),
}  # fmt: skip
"""Section 6 of the notes, by number."""

_NO_FAULT = "tells how it is set up, not how it fails"

CAUSES = (
    Complaint("Most sections locked by default", (_LOCKED,)),
    Complaint("appcmd unlock config -section:system.webServer/handlers", (_LOCKED,)),
    Complaint("Set-WebConfiguration //System.webServer/handlers", reason="another way to the same fix"),
    Complaint("$m=Get-IISServerManager", reason="another way to the same fix, the deploy's own"),
    Complaint("or no unlock: put handlers+httpPlatform in applicationHost", reason=_NO_FAULT),
    Complaint("500.19: 0x80070021 locked", (_LOCKED,)),
    Complaint("0x8007000d unknown element (HPH missing)", (_MISSING, "a section of a module that is not installed")),
    Complaint("0x80070005 ACL", ("web.config may not be read", "the site's folder may not be read")),
    Complaint("0x800700b7 duplicate", ("the same header twice",)),
    Complaint('v1.2 502.3, e.g. "-2147024894" = file not found', (_NO_PROGRAM,)),
    Complaint("v2 502.5", ("2.0: processPath names nothing", "2.0: a package is not installed")),
    Complaint("503.0 = pool stopped", ("the pool is stopped",)),
    Complaint("Web-AppInit", ("Application Initialization is not installed",)),
    Complaint("Web-WebSockets", ("a browser asks for a WebSocket",)),
    Complaint("Web-Scripting-Tools", tests=("test_a_bare_server_has_no_iis",)),
    Complaint("**physicalPath change**", reason="a gap of less than a second while the process starts, measured by the benchmark of a switch"),
    Complaint("Pool recycle overlaps by default", reason="two processes for a moment: nothing on the server tells what an application makes of it"),
    Complaint("Host must be in ALLOWED_HOSTS, else 400", ("ALLOWED_HOSTS lacks the name", "it refuses the host name")),
    Complaint("shutdownTimeLimit 90 s", (_SOCKETS,)),
    Complaint('"IIS AppPool\\Pool:(OI)(CI)RX"` on site', ("the site's folder may not be read",)),
    Complaint("venv **and base interpreter**", (
        "the virtual environment may not be read by the identity", "the Python may not be run by the identity",
    )),
    Complaint("`(OI)(CI)M` on logs/media", (_LOG_DENIED, "the site may not write its data")),
    Complaint("web.config isn't served", tests=("test_values_of_environment_variables_stay_on_the_server",)),
    Complaint("excess 404.13", (_UPLOAD,)),
    Complaint("413.1 per docs", reason="this IIS answers 404.13; the rule takes both"),
    Complaint('`path="*"` sends static files to Python', (_WHITENOISE, "a page asks for a static file that was not collected")),
    Complaint("StaticFile handler ahead", ("the handler only gets *.py",)),
    Complaint("keep Rewrite for HTTP→HTTPS only", ("a section of a module that is not installed", "it sends visitors to https")),
)  # fmt: skip
"""Section 3 of the notes."""

WITHOUT_A_CASE = {
    "iis-missing": Complaint("", tests=("test_a_bare_server_has_no_iis",)),
    "disk-full": Complaint("", tests=("test_a_wrong_clock_and_a_full_disk",)),
    "disk-scarce": Complaint("", tests=("test_a_wrong_clock_and_a_full_disk",)),
    "clock-wrong": Complaint("", tests=("test_a_wrong_clock_and_a_full_disk",)),
    "unknown": Complaint("", tests=("test_what_no_rule_knows_is_said_to_be_unknown",)),
    "pool-32-bit": Complaint("", reason="the lab has one kind of process"),
    "program-denied": Complaint("", reason="AppLocker and antivirus programs are not in the lab"),
    "queue-full": Complaint("", reason="the lab's worker processes take requests at once, so none waits"),
    "unreachable": Complaint(
        "", reason="whatever keeps HTTP.sys from answering in the lab is told by a rule that knows more"
    ),
}
"""Rules that no case brings about: which other test does, or why none does; they are tested on edited evidence (`test_rules.py`)."""
