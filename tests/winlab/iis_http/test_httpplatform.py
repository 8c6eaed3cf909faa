"""HttpPlatformHandler 1.2 and 2: start, environment, forwarding, files, restarts, the end."""

from __future__ import annotations

import asyncio
import http.client
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.winlab.iis_http.harness import BACKEND, HANDLER, PORT, PYTHON, SITE, Web, set_all

Make = Callable[..., Web]
BOTH = pytest.mark.parametrize("platform", ["1.2", "2"])
HPH = "HttpPlatformHandler"


def backends(web: Web) -> list[Any]:
    return web.processes("python.exe")


def header(reply: Any, name: str) -> str | None:
    values = [v for n, v in reply.json["headers"] if n.lower() == name.lower()]
    return ", ".join(values) if values else None


# -- start ------------------------------------------------------------------------------------------------------------------------


@BOTH
def test_starts_with_the_first_request(make_web: Make, platform: str) -> None:
    web = make_web(platform=platform)
    web.python_site()
    web.start()
    assert backends(web) == []
    reply = web.request("/")
    assert (reply.status, reply.reason) == (200, "OK")
    (process,) = backends(web)
    assert process.parent.name == "w3wp.exe" and process.user.name == "IIS APPPOOL\\DefaultAppPool"
    assert reply.json["cwd"] == "site"
    port = int(reply.json["argv"][0])
    assert reply.json["env"]["HTTP_PLATFORM_PORT"] == str(port)
    assert (1025 if platform == "1.2" else 10000) <= port <= 48000
    (event,) = web.events(HPH, 1001)
    if platform == "1.2":
        assert event.message == f"Process '{process.pid}' started successfully and is listening on port '{port}'."
        assert event.source == "HttpPlatformHandler"
    else:
        assert event.source == "IIS HttpPlatformHandler Module V2"
        assert event.message.startswith("Application 'MACHINE/WEBROOT/APPHOST/SITE' started process")
    assert web.request("/").json["pid"] == reply.json["pid"]


@BOTH
def test_environment(make_web: Make, platform: str) -> None:
    web = make_web(platform=platform)
    web.machine.registry.create(r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment").set(
        "FROM_MACHINE", "m"
    )
    children = (
        '<environmentVariables><environmentVariable name="FROM_SECTION" value="port=%HTTP_PLATFORM_PORT% %FROM_POOL%" />'
        '<environmentVariable name="FROM_MACHINE" value="replaced" /></environmentVariables>'
    )

    def pool_variable(c: Any) -> None:
        variables = web.find(c, "applicationPools", "DefaultAppPool").child("environmentVariables").collection
        item = variables.create()
        set_all(item, name="FROM_POOL", value="pool")
        variables.add(item)

    web.edit(pool_variable)
    web.python_site(children=children)
    web.start()
    environment = web.request("/").json["env"]
    port = environment["HTTP_PLATFORM_PORT"]
    assert environment["FROM_SECTION"] == f"port={port} pool"
    assert environment["FROM_POOL"] == "pool" and environment["FROM_MACHINE"] == "replaced"
    assert environment["HTTP_PLATFORM_APPL_PATH"] == "/" and environment["APP_POOL_ID"] == "DefaultAppPool"
    assert ("HTTP_PLATFORM_TOKEN" in environment) == (platform == "2")
    assert environment.get("HTTP_PLATFORM_IIS_HTTPAUTH") == (None if platform == "1.2" else "anonymous;")
    assert environment.get("HTTP_PLATFORM_IIS_SITE_NAME") == (None if platform == "1.2" else "Site")


def test_application_below_a_site(web: Web) -> None:
    web.machine.fs.mkdir(r"C:\inetpub\below")
    web.write(r"C:\inetpub\below\app.py", BACKEND)
    web.platform_config(folder=r"C:\inetpub\below", arguments="app.py %HTTP_PLATFORM_PORT%")

    def work(c: Any) -> None:
        site = web.find(c, "sites", "Site")
        application = site.collection.create()
        set_all(application, path="/app", applicationPool="DefaultAppPool")
        directory = application.collection.create()
        set_all(directory, path="/", physicalPath=r"C:\inetpub\below")
        application.collection.add(directory)
        site.collection.add(application)

    web.edit(work)
    web.write(SITE + r"\a.txt", "static")
    web.start()
    reply = web.request("/app/x")
    assert reply.json["path"] == "/app/x" and reply.json["env"]["HTTP_PLATFORM_APPL_PATH"] == "/app"
    assert web.request("/a.txt").text == "static"


@pytest.mark.parametrize(
    "path", [r".\run\python.exe", r"run\python.exe", r"..\..\Python\python.exe", "%PY%\\python.exe", "python.exe"]
)
def test_ways_to_name_the_program(web: Web, path: str) -> None:
    """From the application's folder, by a variable of the worker process, and along its Path."""
    web.machine.fs.mkdir(SITE + r"\run")
    web.write(SITE + r"\run\python.exe", web.machine.fs.read_bytes(PYTHON))
    web.write(SITE + r"\run\pyvenv.cfg", "home = C:\\Python\n")
    key = web.machine.registry.open(r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment")
    key.set("PY", r"C:\Python")
    key.set("Path", str(key.get("Path", "")) + r";C:\Python", "ExpandString")
    web.python_site(processPath=path, startupRetryCount="0")
    web.start()
    assert web.request("/").status == 200


def test_child_that_listens_counts(web: Web) -> None:
    """A launcher that starts the server as its child is fine (a virtual environment's python.exe is one)."""
    launcher = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, 'server.py', sys.argv[1]]))"
    web.write(SITE + r"\server.py", BACKEND)
    web.python_site(script=launcher)
    web.start()
    assert web.request("/").status == 200
    web.service.stop()
    assert backends(web) == []


def test_retries_until_it_starts(web: Web) -> None:
    """Version 1.2 tries again; a process that needs a second start serves the first request all the same."""
    script = (
        "import os, sys\nif not os.path.exists('tried'):\n    open('tried', 'w').close()\n    sys.exit(1)\n" + BACKEND
    )
    web.protect(SITE, web.pool_sid(), rights="0x1301bf")
    web.python_site(script=script, startupRetryCount="1")
    web.start()
    assert web.request("/").status == 200
    assert len(web.events(HPH, 1000)) == 1 and len(web.events(HPH, 1001)) == 1


def test_rapid_fails_end_after_a_minute(web: Web) -> None:
    web.python_site(processPath=r"C:\nowhere\python.exe", rapidFailsPerMinute="2", startupRetryCount="0")
    web.start()
    assert [web.request("/").hresult for _ in range(3)] == ["0x80070002", "0x80070002", "0x8007053d"]
    web.service.clock.advance(61)
    assert web.request("/").hresult == "0x80070002"


def test_port_set_by_configuration_counts_in_version_2(make_web: Make) -> None:
    web = make_web(platform="2")
    children = (
        '<environmentVariables><environmentVariable name="HTTP_PLATFORM_PORT" value="{}" /></environmentVariables>'
    )
    web.python_site(children=children.format("23456"))
    web.start()
    assert web.request("/").json["argv"] == ["23456"]
    web.platform_config(arguments="app.py %HTTP_PLATFORM_PORT%", children=children.format("99"))
    assert web.request("/").status == 502
    assert len(web.events(HPH, 1000)) == 1


def test_port_that_another_program_has(make_web: Make) -> None:
    """Something listens on the port, but not a process of ours: the start fails at once."""
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        if port > 48000:
            pytest.skip("the system gave a port that version 2 does not take")
        web = make_web(platform="2")
        variable = f'<environmentVariables><environmentVariable name="HTTP_PLATFORM_PORT" value="{port}" /></environmentVariables>'
        web.python_site(script="import time; time.sleep(60)", children=variable)
        web.start()
        assert web.request("/").status == 502
        assert "ErrorCode = '0x8007065f'" in web.events(HPH, 1000)[0].message


def test_several_processes_take_turns(web: Web) -> None:
    web.python_site(processesPerApplication="3")
    web.start()
    pids = [web.request("/").json["pid"] for _ in range(6)]
    assert len(set(pids)) == 3 and pids[:3] == pids[3:]


def test_concurrent_first_requests_share_the_start(web: Web) -> None:
    web.python_site()
    web.start()
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.append(web.request("/").json["pid"])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8 and len(set(seen)) == 1


# -- forwarding -------------------------------------------------------------------------------------------------------------------


@BOTH
def test_headers(make_web: Make, platform: str) -> None:
    web = make_web(platform=platform)
    web.python_site()
    web.start()
    sent = {
        "X-Forwarded-For": "9.9.9.9",
        "X-Forwarded-Proto": "https",
        "MS-ASPNETCORE-TOKEN": "mine",
        "Connection": "X-Hop",
        "X-Own": "1",
    }
    reply = web.request("/a%20b/%2e%2e/c%2Fd?q=%2F&x=%C3%BC", host="www.example.com:81", headers=sent)
    assert re.fullmatch(r"9\.9\.9\.9, 127\.0\.0\.1:\d+", header(reply, "X-Forwarded-For") or "")
    assert header(reply, "X-Forwarded-Proto") == "https, http"
    assert header(reply, "Host") == "www.example.com:81"
    assert header(reply, "X-Own") == "1" and header(reply, "Connection") == "Keep-Alive"
    assert header(reply, "X-Forwarded-Host") is None and header(reply, "X-Original-URL") is None
    token = header(reply, "MS-ASPNETCORE-TOKEN")
    assert token == ("mine" if platform == "1.2" else reply.json["env"]["HTTP_PLATFORM_TOKEN"])
    assert reply.json["path"].startswith("/c/d?q=%2F")


def test_https_is_told_to_the_application(web: Web) -> None:
    import ssl

    from winlab.windows.httpapi import SslBinding

    certificate = web.machine.certificates.create_self_signed(["example.com"])
    web.machine.http.add(SslBinding("ipport", "0.0.0.0:8443", certificate.thumbprint))
    web.python_site()
    web.add_site("Secure", 2, "https/*:8443:")
    web.start()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(web.address, 8443, timeout=10, context=context)
    connection.request("GET", "/", headers={"X-Forwarded-Proto": "http"})
    answer = connection.getresponse().read()
    connection.close()
    assert b'["X-Forwarded-Proto", "http, https"]' in answer


def test_options_of_the_server(web: Web) -> None:
    web.python_site(script=BACKEND.replace("do_POST =", "do_OPTIONS = do_POST ="))
    web.start()
    answer = web.raw(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ") and b'"path": "*"' in answer


def test_request_without_a_host_name(web: Web) -> None:
    web.python_site()
    web.start()
    answer = web.raw(b"GET / HTTP/1.0\r\n\r\n")
    assert re.search(rb'\["Host", "127\.0\.0\.1:\d+"\]', answer)


def test_configuration_that_changes_during_a_start(web: Web) -> None:
    """The request that waits for the old process is served by the new one."""
    web.python_site(script="import time; time.sleep(30)", startupTimeLimit="30")
    web.start()
    seen: list[int] = []
    waiting = threading.Thread(target=lambda: seen.append(web.request("/").status))
    waiting.start()
    web.wait_for(lambda: backends(web))
    web.python_site()
    waiting.join(20)
    assert seen == [200]


@BOTH
def test_answer_headers(make_web: Make, platform: str) -> None:
    web = make_web(platform=platform)
    web.python_site()
    web.start()
    reply = web.request("/")
    assert reply.headers["Server"].startswith("BaseHTTP/")
    assert reply.headers["X-Powered-By"] == "ASP.NET"
    assert len(reply.headers.get_all("Date")) == 1
    assert reply.headers["Connection"] is None


@pytest.mark.parametrize("status", [204, 301, 404, 500])
def test_status_of_the_application_passes(web: Web, status: int) -> None:
    web.python_site()
    web.start()
    reply = web.request(f"/status?{status}")
    assert reply.status == status and "HTTP Error" not in reply.text


def test_error_pages_replace_answers_where_asked(web: Web) -> None:
    web.python_site(more='<httpErrors existingResponse="Replace" />')
    web.start()
    assert web.request("/status?404").code == "404.0"
    assert web.request("/status?200").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_methods(web: Web, method: str) -> None:
    web.python_site()
    web.start()
    body = b"x" * 10 if method in ("POST", "PUT") else None
    reply = web.request("/x", method, body=body)
    assert reply.status == 200
    if method == "HEAD":
        assert reply.body == b"" and int(reply.headers["Content-Length"]) > 100
    else:
        assert (reply.json["method"], reply.json["received"]) == (method, len(body or b""))


@BOTH
def test_large_bodies_both_ways(make_web: Make, platform: str) -> None:
    web = make_web(platform=platform)
    web.python_site()
    web.start()
    assert web.request("/up", "POST", body=b"u" * 25_000_000).json["received"] == 25_000_000
    assert len(web.request("/big?50000000").body) == 50_000_000


def test_chunked_upload(web: Web) -> None:
    web.python_site()
    web.start()
    pieces = [b"a" * 70000, b"b" * 3]
    reply = web.request("/up", "POST", body=iter(pieces), headers={"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert reply.json["received"] == 70003
    limit = '<security><requestFiltering><requestLimits maxAllowedContentLength="100" /></requestFiltering></security>'
    web.platform_config(arguments="app.py %HTTP_PLATFORM_PORT%", more=limit)
    reply = web.request("/up", "POST", body=iter(pieces), headers={"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert reply.code == "404.13"


def test_expect_continue(web: Web) -> None:
    web.python_site()
    web.start()
    answer = web.raw(
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab"
    )
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@BOTH
def test_streamed_answers(make_web: Make, platform: str) -> None:
    """Version 1.2 holds back 8 KB, which breaks server-sent events; version 2 passes each piece on."""
    web = make_web(platform=platform)
    web.python_site()
    web.start()
    web.request("/")
    connection = http.client.HTTPConnection(web.address, PORT, timeout=10)
    began = time.monotonic()
    connection.request("GET", "/stream?4")
    response = connection.getresponse()
    first = response.read(5)
    first_at = time.monotonic() - began
    rest = response.read()
    connection.close()
    assert first + rest == b"abcde" * 4
    assert (first_at < 0.8) == (platform == "2")


def test_client_that_leaves_does_no_harm(web: Web) -> None:
    import socket

    web.python_site()
    web.start()
    web.request("/")
    for _ in range(3):
        with socket.create_connection((web.address, PORT), 5) as connection:
            connection.sendall(b"GET /big?20000000 HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.recv(100)
    assert web.request("/").status == 200
    assert not [line for line in web.logged if "Traceback" in line]


# -- its output -------------------------------------------------------------------------------------------------------------------


def logs(web: Web, folder: str = SITE) -> list[str]:
    return [e.name for e in web.machine.fs.listdir(folder) if e.name.endswith(".log")]


@BOTH
def test_log_file_and_its_name(make_web: Make, platform: str) -> None:
    web = make_web(platform=platform)
    web.machine.fs.mkdir(r"C:\inetpub\logs\app")
    web.protect(r"C:\inetpub\logs\app", web.pool_sid(), rights="0x1301bf")
    web.python_site(stdoutLogEnabled="true", stdoutLogFile=r"C:\inetpub\logs\app\stdout")
    web.start()
    web.request("/hello")
    (name,) = logs(web, r"C:\inetpub\logs\app")
    (worker,) = web.processes("w3wp.exe")
    pattern = rf"stdout_{worker.pid}_\d{{9,14}}\.log" if platform == "1.2" else rf"stdout_\d{{14}}_{worker.pid}\.log"
    assert re.fullmatch(pattern, name)
    path = r"C:\inetpub\logs\app" + "\\" + name
    web.wait_for(lambda: b"request /hello" in web.machine.fs.read_bytes(path))
    assert web.machine.fs.read_bytes(path).startswith(b"starting")
    from winlab.windows.errors import WindowsError

    with pytest.raises(WindowsError) as refused:
        web.machine.fs.remove(path)
    assert refused.value.code == 32


def test_missing_log_folder(make_web: Make) -> None:
    """Version 1.2 says so and goes on; version 2 makes the folder where it may."""
    old = make_web()
    old.python_site(stdoutLogEnabled="true", stdoutLogFile=r"C:\inetpub\none\stdout")
    old.start()
    assert old.request("/").status == 200
    (event,) = old.events(HPH, 1004)
    assert re.fullmatch(
        r"Warning: Could not create stdoutLogFile \\\\\?\\C:\\inetpub\\none\\stdout_\d+_\d+\.log, ErrorCode = -2147024893\.",
        event.message,
    )
    new = make_web(platform="2")
    new.protect(SITE, new.pool_sid(), rights="0x1301bf")
    new.python_site(stdoutLogEnabled="true", stdoutLogFile=r".\logs\stdout")
    new.start()
    assert new.request("/").status == 200
    assert len(logs(new, SITE + r"\logs")) == 1 and not new.events(HPH, 1004)


def test_output_of_a_failed_start_stands_in_the_event(make_web: Make) -> None:
    web = make_web(platform="2")
    web.python_site(script="print('this went wrong', flush=True)\nraise SystemExit(5)")
    web.start()
    assert web.request("/").status == 502
    web.wait_for(lambda: web.events(HPH, 1020))
    assert "this went wrong" in web.events(HPH, 1020)[0].message
    assert len(web.events(HPH, 1000)) == 2


# -- restarts and the end ---------------------------------------------------------------------------------------------------------


@BOTH
def test_restart_after_death(make_web: Make, platform: str) -> None:
    web = make_web(platform=platform)
    web.python_site()
    web.start()
    before = web.request("/").json["pid"]
    backends(web)[0].kill()
    web.wait_for(lambda: backends(web) == [])
    after = web.request("/").json["pid"]
    assert before != after


@BOTH
def test_changed_web_config_means_a_new_process(make_web: Make, platform: str) -> None:
    web = make_web(platform=platform)
    web.python_site()
    web.start()
    before = web.request("/").json["pid"]
    web.platform_config(arguments="app.py %HTTP_PLATFORM_PORT% changed")
    reply = web.request("/")
    assert reply.json["pid"] != before and reply.json["argv"][1:] == ["changed"]
    web.wait_for(lambda: len(backends(web)) == 1)


@BOTH
def test_changed_web_config_ends_the_old_process_without_a_request(make_web: Make, platform: str) -> None:
    web = make_web(platform=platform)
    web.python_site()
    web.start()
    web.request("/")
    web.platform_config(arguments="app.py %HTTP_PLATFORM_PORT% changed")
    web.wait_for(lambda: backends(web) == [])
    assert len(web.processes("w3wp.exe")) == 1


def test_a_path_that_changes_while_a_request_is_on_its_way_is_not_forgotten(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.python_site()
    web.machine.fs.mkdir(r"C:\inetpub\release2")
    web.write(r"C:\inetpub\release2\app.py", BACKEND)
    web.platform_config(folder=r"C:\inetpub\release2", arguments="app.py %HTTP_PLATFORM_PORT%")
    web.start()
    original = web.service.platform_application
    changed: list[bool] = []

    async def late(context: Any, modules: frozenset[str]) -> Any:
        if not changed:
            changed.append(True)
            await asyncio.to_thread(web.set_path, r"C:\inetpub\release2")
        return await original(context, modules)

    monkeypatch.setattr(web.service, "platform_application", late)
    web.request("/")
    web.wait_for(lambda: web.request("/").json["cwd"] == "release2")
    web.wait_for(lambda: len(backends(web)) == 1)


@BOTH
def test_changed_physical_path_means_a_new_process(make_web: Make, platform: str) -> None:
    web = make_web(platform=platform)
    web.python_site()
    web.machine.fs.mkdir(r"C:\inetpub\release2")
    web.write(r"C:\inetpub\release2\app.py", BACKEND)
    web.platform_config(folder=r"C:\inetpub\release2", arguments="app.py %HTTP_PLATFORM_PORT%")
    web.start()
    first = web.request("/")
    (worker,) = web.processes("w3wp.exe")
    web.set_path(r"C:\inetpub\release2")
    second = web.request("/")
    assert (first.json["cwd"], second.json["cwd"]) == ("site", "release2")
    assert web.processes("w3wp.exe") == [worker], "a changed path does not recycle the pool"
    web.wait_for(lambda: len(backends(web)) == 1)


def test_recycle_on_file_change(make_web: Make) -> None:
    for platform in ("1.2", "2"):
        web = make_web(platform=platform)
        web.write(SITE + r"\restart.txt", "1")
        web.python_site(children='<recycleOnFileChange><file path="restart.txt" /></recycleOnFileChange>')
        web.start()
        before = web.request("/").json["pid"]
        web.write(SITE + r"\other.txt", "1")
        assert web.request("/").json["pid"] == before
        web.write(SITE + r"\restart.txt", "22")
        web.wait_for(lambda web=web: backends(web) == [])
        assert web.request("/").json["pid"] != before


def test_app_offline(make_web: Make) -> None:
    """Version 2 only: the page with 503, the process ended; back when the file is gone."""
    new, old = make_web(platform="2"), make_web()
    for web in (new, old):
        web.python_site()
        web.start()
        web.request("/")
        web.write(SITE + r"\app_offline.htm", "<h1>away</h1>")
    assert (new.request("/").status, new.request("/").text) == (503, "<h1>away</h1>")
    assert old.request("/").status == 200
    new.wait_for(lambda: backends(new) == [])
    assert new.events(HPH, 1012)
    new.machine.fs.remove(SITE + r"\app_offline.htm")
    assert new.request("/").status == 200


def test_graceful_stop_in_version_2(make_web: Make) -> None:
    """A shutdown message first; without a 202, CTRL+BREAK, which a handler may use to end in order."""
    handler = (
        "import signal, sys\n"
        "def end(*_):\n    open('ended', 'w').close()\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
    )
    found = {}
    for platform in ("1.2", "2"):
        web = make_web(platform=platform)
        web.protect(SITE, web.pool_sid(), rights="0x1301bf")
        web.python_site(script=handler + BACKEND)
        web.start()
        web.request("/")
        web.service.stop()
        assert backends(web) == []
        found[platform] = web.machine.fs.exists(SITE + r"\ended")
        if platform == "2":
            assert web.events(HPH, 1006) and web.events(HPH, 1030)
    assert found == {"1.2": False, "2": True}


def test_shutdown_message(make_web: Make) -> None:
    """An application that answers POST /iisintegration with 202 ends by itself."""
    web = make_web(platform="2")
    script = BACKEND.replace(
        "received = self.read_body()",
        "received = self.read_body()\n"
        "        if path == '/iisintegration' and self.headers['MS-ASPNETCORE-EVENT'] == 'shutdown' "
        "and self.headers['MS-ASPNETCORE-TOKEN'] == os.environ['HTTP_PLATFORM_TOKEN']:\n"
        "            self.send_response(202); self.send_header('Content-Length', '0'); self.end_headers()\n"
        "            import threading; threading.Timer(0.1, os._exit, (0,)).start(); return",
    )
    web.python_site(script=script)
    web.start()
    assert web.request("/").status == 200
    web.service.stop()
    (event,) = web.events(HPH, 1006)
    assert "http status '202'" in event.message


def test_pool_recycle_runs_two_backends_briefly(web: Web) -> None:
    """The new worker process has its own backend; the old one goes with the old worker process."""
    web.python_site()
    web.start()
    before = web.request("/").json["pid"]
    web.service.recycle_pool("DefaultAppPool")
    after = web.request("/").json["pid"]
    assert before != after
    web.wait_for(lambda: len(backends(web)) == 1)


def test_preload_starts_the_application(make_web: Make) -> None:
    web = make_web(features=("Web-AppInit",))
    web.python_site()
    web.set_pool(startMode="AlwaysRunning")
    web.set_application(preloadEnabled=True)
    web.start()
    web.wait_for(lambda: len(backends(web)) == 1)
    web.wait_for(lambda: web.events(HPH, 1001))
    web.wait_for(lambda: "IIS+Application+Initialization" in "\n".join(web.log_lines()))


def test_the_switch_for_no_preloading(make_web: Make) -> None:
    """iis-preload=off: the application starts with its first request."""
    web = make_web(features=("Web-AppInit",))
    web.machine.iis_preload = False
    web.python_site()
    web.set_pool(startMode="AlwaysRunning")
    web.set_application(preloadEnabled=True)
    web.start()
    web.wait_for(lambda: len(web.processes("w3wp.exe")) == 1)
    time.sleep(0.3)
    assert backends(web) == []
    assert web.request("/").status == 200


def test_initialization_pages_and_their_host(make_web: Make) -> None:
    web = make_web(features=("Web-AppInit",))
    pages = '<applicationInitialization doAppInitAfterRestart="true"><add initializationPage="/warm" hostName="www.example.com" /></applicationInitialization>'
    web.protect(SITE, web.pool_sid(), "S-1-5-17", rights="0x1301bf")
    web.python_site(more=pages, stdoutLogEnabled="true", stdoutLogFile=r".\out")
    web.set_application(preloadEnabled=True)
    web.set_pool(startMode="AlwaysRunning")
    web.start()
    web.wait_for(lambda: logs(web) and b"request /warm" in web.machine.fs.read_bytes(SITE + "\\" + logs(web)[0]))


def test_killed_worker_takes_its_backends_along(web: Web) -> None:
    web.python_site()
    web.start()
    web.request("/")
    web.processes("w3wp.exe")[0].kill()
    web.wait_for(lambda: backends(web) == [])
    assert web.request("/").status == 200


def test_site_configuration_in_a_location_of_the_server(web: Web) -> None:
    """handlers locked, the site's settings in applicationHost.config's own location tag: nothing to unlock."""
    from winlab.iis.config import APPHOST

    web.edit(lambda c: c.section("system.webServer/handlers").set_override_mode("Inherit"))
    web.write(SITE + r"\app.py", BACKEND)
    text = web.machine.fs.read_bytes(APPHOST).decode()
    location = (
        f'<location path="Site"><system.webServer>{HANDLER}<httpPlatform processPath="{PYTHON}" '
        'arguments="app.py %HTTP_PLATFORM_PORT%" /></system.webServer></location>'
    )
    web.write(APPHOST, text.replace("</configuration>", location + "</configuration>"))
    web.start()
    assert web.request("/").status == 200


def test_static_files_beside_python(web: Web) -> None:
    """A folder with the handlers cleared but StaticFile is served by IIS itself."""
    web.python_site()
    web.machine.fs.mkdir(SITE + r"\static")
    web.write(SITE + r"\static\a.css", "body {}")
    handlers = (
        '<handlers><clear /><add name="StaticFile" path="*" verb="*" modules="StaticFileModule" resourceType="Either" '
        'requireAccess="Read" /></handlers>'
    )
    web.web_config(handlers, SITE + r"\static")
    web.start()
    assert web.request("/static/a.css").headers["Server"] == "Microsoft-IIS/10.0"
    assert web.request("/else").json["path"] == "/else"


@BOTH
def test_a_program_that_cannot_be_a_path_fails_the_start_and_holds_no_log(make_web: Make, platform: str) -> None:
    web = make_web(platform=platform)
    web.machine.fs.mkdir(r"C:\inetpub\logs\app")
    web.protect(r"C:\inetpub\logs\app", web.pool_sid(), rights="0x1301bf")
    web.python_site(processPath="", stdoutLogEnabled="true", stdoutLogFile=r"C:\inetpub\logs\app\stdout")
    web.start()
    assert web.request("/").status == 502
    (name,) = logs(web, r"C:\inetpub\logs\app")
    web.machine.fs.remove(rf"C:\inetpub\logs\app\{name}")
