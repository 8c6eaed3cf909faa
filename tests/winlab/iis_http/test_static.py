"""An ordinary site: files, default documents, conditions, ranges, error pages, request filtering, the log."""

from __future__ import annotations

import pytest

from tests.winlab.iis_http.harness import SITE, Web, set_all


def test_file_with_its_headers(web: Web) -> None:
    web.write(SITE + r"\style.css", "body {}")
    web.start()
    reply = web.request("/STYLE.css")
    assert reply.status == 200 and reply.body == b"body {}"
    assert reply.headers["Content-Type"] == "text/css"
    assert reply.headers["Server"] == "Microsoft-IIS/10.0"
    assert reply.headers["X-Powered-By"] == "ASP.NET"
    assert reply.headers["Accept-Ranges"] == "bytes"
    assert reply.headers["ETag"].endswith(':0"')


def test_conditions(web: Web) -> None:
    web.write(SITE + r"\a.txt", "A")
    web.start()
    first = web.request("/a.txt")
    for header, value in (
        ("If-None-Match", first.headers["ETag"]),
        ("If-Modified-Since", first.headers["Last-Modified"]),
    ):
        reply = web.request("/a.txt", headers={header: value})
        assert (reply.status, reply.body, reply.headers["Content-Length"]) == (304, b"", None)
    web.write(SITE + r"\a.txt", "AB")
    assert web.request("/a.txt", headers={"If-None-Match": first.headers["ETag"]}).body == b"AB"
    assert web.request("/a.txt", headers={"If-Match": '"other"'}).status == 412


@pytest.mark.parametrize(
    ("header", "status", "body", "content_range"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=20-", 416, None, "bytes */10"),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_ranges(web: Web, header: str, status: int, body: bytes | None, content_range: str | None) -> None:
    web.write(SITE + r"\a.txt", "0123456789")
    web.start()
    reply = web.request("/a.txt", headers={"Range": header})
    assert (reply.status, reply.headers["Content-Range"]) == (status, content_range)
    assert body is None or reply.body == body


def test_several_ranges(web: Web) -> None:
    web.write(SITE + r"\a.txt", "0123456789")
    web.start()
    reply = web.request("/a.txt", headers={"Range": "bytes=0-1,8-9"})
    assert reply.status == 206 and reply.headers["Content-Type"].startswith("multipart/byteranges; boundary=")
    assert b"Content-Range: bytes 0-1/10\r\n\r\n01\r\n" in reply.body
    assert len(reply.body) == int(reply.headers["Content-Length"])


def test_large_file_streams(web: Web) -> None:
    data = bytes(range(256)) * 20000
    web.write(SITE + r"\big.txt", data)
    web.start()
    assert web.request("/big.txt").body == data


def test_default_documents_and_folders(web: Web) -> None:
    web.machine.fs.mkdir(SITE + r"\docs")
    web.start()
    redirect = web.request("/docs?x=1")
    assert redirect.status == 301 and redirect.headers["Location"] == f"http://{web.address}:8000/docs/?x=1"
    assert web.request("/docs/").code == "403.14"
    web.write(SITE + r"\docs\index.html", "index")
    assert web.request("/docs/").text == "index"
    web.write(SITE + r"\docs\Default.htm", "default")
    assert web.request("/docs/").text == "default"
    web.web_config(
        '<defaultDocument><files><clear /><add value="home.txt" /></files></defaultDocument>', SITE + r"\docs"
    )
    web.write(SITE + r"\docs\home.txt", "home")
    assert web.request("/docs/").text == "home"


def test_listing(web: Web) -> None:
    web.web_config('<directoryBrowse enabled="true" />')
    web.write(SITE + r"\a b.txt", "x")
    web.start()
    reply = web.request("/")
    assert reply.status == 200 and 'HREF="/a%20b.txt"' in reply.text


def test_virtual_directory_and_application(web: Web) -> None:
    web.write(r"C:\media\a.txt", "media") if web.machine.fs.mkdir(r"C:\media") else None
    web.machine.fs.mkdir(r"C:\app2")
    web.write(r"C:\app2\a.txt", "app")

    def work(c: object) -> None:
        site = web.find(c, "sites", "Site")  # type: ignore[arg-type]
        root = site.collection[0]
        directory = root.collection.create()
        set_all(directory, path="/media", physicalPath=r"C:\media")
        root.collection.add(directory)
        application = site.collection.create()
        set_all(application, path="/second", applicationPool="DefaultAppPool")
        inner = application.collection.create()
        set_all(inner, path="/", physicalPath=r"C:\app2")
        application.collection.add(inner)
        site.collection.add(application)

    web.edit(work)
    web.start()
    assert web.request("/media/a.txt").text == "media"
    assert web.request("/Second/a.txt").text == "app"
    assert web.request("/secondary/a.txt").status == 404


def test_caching_headers_and_custom_headers(web: Web) -> None:
    web.write(SITE + r"\a.txt", "A")
    web.web_config(
        '<staticContent><clientCache cacheControlMode="UseMaxAge" cacheControlMaxAge="7.00:00:00" setEtag="false" /></staticContent>'
        '<httpProtocol><customHeaders><remove name="X-Powered-By" /><add name="X-Own" value="1" /></customHeaders></httpProtocol>'
    )
    web.start()
    headers = web.request("/a.txt").headers
    assert headers["Cache-Control"] == "max-age=604800"
    assert (headers["ETag"], headers["X-Powered-By"], headers["X-Own"]) == (None, None, "1")


def test_redirect_section(web: Web) -> None:
    web.web_config('<httpRedirect enabled="true" destination="https://example.com" httpResponseStatus="Permanent" />')
    web.start()
    reply = web.request("/a/b?c=d")
    assert (reply.status, reply.headers["Location"]) == (301, "https://example.com/a/b?c=d")


def test_error_pages_for_others_and_for_the_server_itself(web: Web) -> None:
    web.edit(lambda c: c.section("system.webServer/httpErrors").set("errorMode", "DetailedLocalOnly"))
    web.start()
    remote = web.request("/none")
    assert (
        remote.status == 404 and "404 - File or directory not found." in remote.text and "HTTP Error" not in remote.text
    )
    local = web.request("/none", local=True)
    assert (local.code, local.row("Physical Path")) == ("404.0", SITE + r"\none")
    web.write(SITE + r"\gone.htm", "my page")
    web.web_config(
        '<httpErrors><remove statusCode="404" /><error statusCode="404" path="gone.htm" responseMode="File" /></httpErrors>'
    )
    web.write(r"C:\inetpub\custerr\en-US\404.htm", "the server's page")
    web.machine.fs.remove(SITE + r"\web.config")
    assert web.request("/none").text == "the server's page"


def test_config_error_is_told_to_the_server_itself_only(web: Web) -> None:
    web.edit(lambda c: c.section("system.webServer/httpErrors").set("errorMode", "DetailedLocalOnly"))
    web.web_config("<nonsense />")
    web.start()
    assert web.request("/").text == "The page cannot be displayed because an internal server error has occurred."
    local = web.request("/", local=True)
    assert (local.code, local.hresult) == ("500.19", "0x8007000d")
    assert local.row("Config File") == r"\\?\C:\inetpub\site\web.config"
    assert web.log_lines()[-1].split()[-4:-1] == ["500", "19", "13"]


def test_config_error_ends_when_the_file_is_right(web: Web) -> None:
    web.web_config("<nonsense />")
    web.write(SITE + r"\a.txt", "A")
    web.start()
    assert web.request("/a.txt").code == "500.19"
    web.web_config("")
    assert web.request("/a.txt").text == "A"
    web.protect(SITE + r"\web.config")
    web.wait_for(
        lambda: web.request("/a.txt").hresult == "0x80070005" or web.write(SITE + r"\web.config", "<configuration />")
    )
    web.machine.fs.reset_acl(SITE + r"\web.config")
    assert web.request("/a.txt").text == "A"


def test_configuration_of_folders_and_locations(web: Web) -> None:
    web.machine.fs.mkdir(SITE + r"\sub")
    web.write(SITE + r"\sub\a.txt", "A")
    web.write(SITE + r"\b.txt", "B")
    web.web_config(
        '<httpProtocol><customHeaders><add name="X-Sub" value="1" /></customHeaders></httpProtocol>', SITE + r"\sub"
    )
    tag = (
        '<configuration><location path="b.txt"><system.webServer><httpProtocol><customHeaders><add name="X-B" value="1" />'
        "</customHeaders></httpProtocol></system.webServer></location></configuration>"
    )
    web.write(SITE + r"\web.config", tag)
    web.start()
    inside, outside = web.request("/sub/a.txt").headers, web.request("/b.txt").headers
    assert (inside["X-Sub"], inside["X-B"], outside["X-Sub"], outside["X-B"]) == ("1", None, None, "1")


def test_options_and_trace(web: Web) -> None:
    web.start()
    reply = web.request("/", "OPTIONS")
    assert (reply.status, reply.headers["Public"]) == (200, "OPTIONS, TRACE, GET, HEAD, POST")
    assert web.request("/", "TRACE").status == 501


def test_basic_authentication(make_web: object) -> None:
    web: Web = make_web(features=("Web-Basic-Auth",))  # type: ignore[operator]
    web.machine.accounts.add_user("reader", "secret")
    web.write(SITE + r"\a.txt", "A")

    def work(c: object) -> None:
        root = "system.webServer/security/authentication/"
        c.section(root + "anonymousAuthentication").set("enabled", False)  # type: ignore[attr-defined]
        c.section(root + "basicAuthentication").set("enabled", True)  # type: ignore[attr-defined]

    web.edit(work)
    web.start()
    refused = web.request("/a.txt")
    assert refused.status == 401 and refused.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert web.request("/a.txt", headers={"Authorization": "Basic cmVhZGVyOnNlY3JldA=="}).text == "A"
    assert " reader " in web.log_lines()[-1]


def test_log(web: Web) -> None:
    web.write(SITE + r"\a.txt", "A")
    web.start()
    web.request("/a.txt?x=1", headers={"User-Agent": "some agent", "Referer": "http://r/"})
    web.request("/none")
    lines = web.log_lines()
    assert lines[0] == "#Software: Microsoft Internet Information Services 10.0"
    fields = dict(zip(lines[3].split()[1:], lines[4].split(), strict=True))
    assert fields["cs-uri-stem"] == "/a.txt" and fields["cs-uri-query"] == "x=1"
    assert fields["cs(User-Agent)"] == "some+agent" and fields["sc-status"] == "200"
    assert lines[5].split()[-4:-1] == ["404", "0", "2"]


@pytest.mark.parametrize(
    ("section", "path", "code"),
    [
        ('<denyUrlSequences><add sequence="..." /></denyUrlSequences>', "/a...b", "404.5"),
        ('<hiddenSegments><add segment="private" /></hiddenSegments>', "/x/Private/y", "404.8"),
        (
            '<fileExtensions allowUnlisted="false"><add fileExtension=".txt" allowed="true" /></fileExtensions>',
            "/a.css",
            "404.7",
        ),
        (
            '<denyQueryStringSequences><add sequence="drop table" /></denyQueryStringSequences>',
            "/?q=DROP%20TABLE",
            "404.18",
        ),
        (
            '<filteringRules><filteringRule name="r" scanUrl="true"><denyStrings><add string="evil" /></denyStrings>'
            "</filteringRule></filteringRules>",
            "/evil",
            "404.19",
        ),
        ('<requestLimits maxAllowedContentLength="10" />', "/", "404.13"),
        ("", "/a+b", "404.11"),
    ],
)
def test_request_filtering(web: Web, section: str, path: str, code: str) -> None:
    web.web_config(f"<security><requestFiltering>{section}</requestFiltering></security>")
    web.start()
    body = b"x" * 11 if code == "404.13" else None
    assert web.request(path, "POST" if body else "GET", body=body).code == code


def test_letters_of_any_script_are_no_escapes(web: Web) -> None:
    web.write(SITE + r"\größe-日本.txt", "ok")
    web.start()
    assert web.request("/gr%C3%B6%C3%9Fe-%E6%97%A5%E6%9C%AC.txt").body == b"ok"
    assert web.request("/gr%C3%B6%C3%9Fe-%25E6%2597%25A5.txt").code == "404.11"


def test_what_is_not_installed_does_nothing(make_web: object) -> None:
    """Without their features: no error pages, no log, no default document, no filtering."""
    web: Web = make_web(without=("Web-Http-Errors", "Web-Http-Logging", "Web-Default-Doc", "Web-Filtering"))  # type: ignore[operator]
    web.write(SITE + r"\index.html", "index")
    web.write(SITE + r"\a.txt", "A")
    web.machine.fs.mkdir(SITE + r"\bin")
    web.write(SITE + r"\bin\a.txt", "bin")
    web.start()
    assert web.request("/none").text.startswith("The resource you are looking for has been removed")
    assert web.request("/").status == 403
    assert web.request("/bin/a.txt").text == "bin"
    assert web.log_lines() == []
