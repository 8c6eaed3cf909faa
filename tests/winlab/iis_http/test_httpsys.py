"""HTTP.sys: what is refused before a site sees it, and which site gets what."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable

import pytest

from tests.winlab.iis_http.harness import PORT, SITE, Web, add_binding
from winlab.iis.http11 import ProtocolError
from winlab.iis.httpsys import kernel_page
from winlab.iis.urls import cook, escape_path


@pytest.mark.parametrize(
    ("request_bytes", "status", "headline"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400, "Bad Request - Invalid Hostname"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "Bad Request - Invalid Hostname"),
        (b"GE(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400, "Bad Request - Invalid Verb"),
        (b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, "Bad Request - Invalid URL"),
        (b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "Bad Request - Invalid URL"),
        (b"GET /" + b"a" * 261 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400, "Bad Request - Invalid URL"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nbad header: 1\r\n\r\n", 400, "Bad Request - Invalid Header"),
        (b"GET /\r\nHost: x\r\n\r\n", 400, "Bad Request"),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505, "HTTP Version Not Supported"),
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", 411, "Length Required"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "Not Implemented"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n", 400, "Bad Request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 16400 + b"\r\n\r\n", 400, "Bad Request - Request Too Long"),
    ],
)
def test_refused_requests(web: Web, request_bytes: bytes, status: int, headline: str) -> None:
    web.start()
    answer = web.raw(request_bytes)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Server: Microsoft-HTTPAPI/2.0\r\n" in answer and b"Connection: close\r\n" in answer
    assert f"<h2>{headline}</h2>".encode() in answer
    web.service.flush_logs()
    assert f" {status} " in web.machine.fs.read_text(r"C:\Windows\System32\LogFiles\HTTPERR\httperr1.log")


def test_sizes_of_the_known_pages() -> None:
    # lengths that real servers send
    assert [len(kernel_page(r)[2]) for r in ("Hostname", "AppOffline", "NotFound", "URL")] == [334, 326, 315, 324]


def test_keep_alive_and_pipelining(web: Web) -> None:
    web.write(SITE + r"\a.txt", "A")
    web.start()
    one = b"GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = web.raw(one + one + last)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert answer.count(b"Connection: close") == 1


def test_http_1_0_closes_unless_asked(web: Web) -> None:
    web.write(SITE + r"\a.txt", "A")
    web.start()
    answer = web.raw(b"GET /a.txt HTTP/1.0\r\n\r\n" * 2)
    assert answer.count(b"HTTP/1.1 200") == 1
    kept = web.raw(b"GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2, quiet=1)
    assert kept.count(b"HTTP/1.1 200") == 2 and b"Connection: keep-alive" in kept


def test_head_has_length_and_no_body(web: Web) -> None:
    web.write(SITE + r"\a.txt", "12345")
    web.start()
    reply = web.request("/a.txt", "HEAD")
    assert (reply.status, reply.headers["Content-Length"], reply.body) == (200, "5", b"")


def test_routing_by_address_and_name(web: Web) -> None:
    """Name before address, address before anything; a wildcard name below a full one."""
    web.machine.fs.remove(SITE + r"\web.config") if web.machine.fs.exists(SITE + r"\web.config") else None
    for number, name, binding in (
        (2, "named", f"*:{PORT}:www.example.com"),
        (3, "address", f"{web.address}:{PORT}:"),
        (4, "wild", f"*:{PORT}:*.example.org"),
        (5, "both", f"{web.address}:{PORT}:both.example.com"),
    ):
        path = rf"C:\inetpub\{name}"
        web.add_site(name, number, binding, path=path)
        web.write(path + r"\index.html", name)
    web.write(SITE + r"\index.html", "default")
    web.start()
    assert web.request("/", host="www.example.com").text == "named"
    assert web.request("/", host="WWW.Example.com:8000").text == "named"
    assert web.request("/", host="a.example.org").text == "wild"
    assert web.request("/", host="both.example.com").text == "both"
    assert web.request("/", host="else").text == "address"
    assert web.service.stop_site("address") == "Stopped"
    assert web.request("/", host="else").text == "default"


def test_clashing_bindings_stop_the_later_site(web: Web) -> None:
    web.add_site("Second", 2, f"*:{PORT}:", f"*:{PORT + 1}:", path=r"C:\inetpub\second")
    web.start()
    assert (web.service.site_state("Site"), web.service.site_state("Second")) == ("Started", "Stopped")
    assert web.events("W3SVC", 1004)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((web.address, PORT + 1), 2).close()
    with pytest.raises(Exception) as refused:
        web.service.start_site("Second")
    assert refused.value.hresult == 0x800700B7  # type: ignore[attr-defined]
    web.service.stop_site("Site")
    assert web.service.start_site("Second") == "Started"


def test_port_of_another_program(web: Web) -> None:
    with socket.socket() as other:
        other.bind((web.address, PORT))
        other.listen()
        web.start()
        assert web.service.site_state("Site") == "Stopped"
        assert web.events("W3SVC", 1007)


def test_stopped_site_refuses_connections(web: Web) -> None:
    web.start()
    assert web.request("/").status == 403
    assert web.service.stop_site("Site") == "Stopped"
    with pytest.raises(ConnectionRefusedError):
        web.request("/")
    assert web.service.start_site("Site") == "Started"
    assert web.request("/").status == 403


def test_services_stop_and_start(web: Web) -> None:
    web.start()
    assert web.request("/").status == 403
    assert len(web.processes("w3wp.exe")) == 1
    web.service.stop()
    assert web.processes("w3wp.exe") == []
    with pytest.raises(ConnectionRefusedError):
        web.request("/")
    web.service.start()
    assert web.request("/").status == 403


def test_https_by_server_name(make_web: Callable[..., Web]) -> None:
    """Certificates stand in HTTP.sys's table; a binding with SNI has its own."""
    import ssl

    from winlab.windows.httpapi import SslBinding

    web = make_web()
    certificates = web.machine.certificates
    first = certificates.create_self_signed(["one.example.com"])
    second = certificates.create_self_signed(["two.example.com"])
    web.add_site("Secure", 2, "https/*:8443:", path=r"C:\inetpub\secure")
    web.write(r"C:\inetpub\secure\index.html", "secure")

    def sni(c: object) -> None:
        site = web.find(c, "sites", "Secure")  # type: ignore[arg-type]
        add_binding(site, "https/*:8443:two.example.com")
        site.child("bindings").collection[1].set("sslFlags", 1)

    web.edit(sni)
    web.machine.http.add(SslBinding("ipport", "0.0.0.0:8443", first.thumbprint))
    web.machine.http.add(SslBinding("hostnameport", "two.example.com:8443", second.thumbprint))
    web.start()

    def presented(name: str) -> bytes:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection((web.address, 8443), 5) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            secure.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            response = http.client.HTTPResponse(secure)
            response.begin()
            assert (response.status, response.read()) == (200, b"secure")
            der = secure.getpeercert(binary_form=True)
            assert der is not None
            return der

    assert presented("one.example.com") == first.der
    assert presented("two.example.com") == second.der


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a%20b", "/a b", None),
        ("/a/../b/./c", "/b/c", None),
        ("/a\\b", "/a/b", None),
        ("/%C3%A9", "/é", None),
        ("/%E9", "/é", None),
        ("/x?a=%2F", "/x", "a=%2F"),
        ("/x?", "/x", ""),
        ("http://host:81/p?q", "/p", "q"),
    ],
)
def test_cooked_urls(target: str, path: str, query: str | None) -> None:
    url = cook(target, "GET")
    assert (url.path, url.query) == (path, query)


def test_url_that_is_none() -> None:
    with pytest.raises(ProtocolError):
        cook("nothing", "GET")
    assert escape_path("/a b/é+") == "/a%20b/%C3%A9+"


def test_low_ports_without_the_right_to_them(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user of this machine who may not listen on port 80 finds the site on port 8080."""
    import asyncio
    import errno

    real = asyncio.start_server

    async def start(callback: object, host: str, port: int, **options: object) -> object:
        if port < 1024:
            raise PermissionError(errno.EACCES, "Permission denied")
        return await real(callback, host, port, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("winlab.iis.httpsys.asyncio.start_server", start)
    web.edit(lambda c: web.find(c, "sites", "Site").child("bindings").collection[0].set("bindingInformation", "*:80:"))
    web.write(SITE + r"\a.txt", "A")
    web.start()
    assert web.request("/a.txt", port=8080, host="example.com").text == "A"
    assert " 80 " in web.log_lines()[-1]
