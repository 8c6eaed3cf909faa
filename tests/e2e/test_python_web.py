"""Python web applications that are not Django: the examples, deployed by the same road, with nothing of Django run."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from pathlib import Path

import pytest

from tests.labkit import ROOT, Lab, get

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("deploy")]

PORTS = {"fastapi": 8015, "flask": 8016}
WORDS = {"fastapi": "Hello from FastAPI", "flask": "Hello from Flask"}


@pytest.fixture(scope="module", params=["fastapi", "flask"])
def served(lab: Lab, request: pytest.FixtureRequest) -> tuple[Lab, str, str]:
    """A server with an example deployed: lab, address, which example."""
    address = lab.addresses[0]
    run = lab.pyinfra(address, deploy="deploys/python_web.py", example=request.param, options=["-y", "-vvv"])
    assert run.code == 0, run.output
    assert "manage.py" not in run.output
    return lab, address, request.param


def test_it_answers_through_iis(served: tuple[Lab, str, str]) -> None:
    _, address, example = served
    status, headers, body = get(address, "/", PORTS[example])
    assert (status, headers["X-Powered-By"]) == (200, "ASP.NET")
    assert WORDS[example] in body
    assert "http request" in body
    assert json.loads(get(address, "/items/3?q=a%20b", PORTS[example])[2]) == {"number": 3, "q": "a b"}
    assert json.loads(get(address, "/health", PORTS[example])[2])["status"] == "ok"


def test_nothing_of_django_is_there_and_the_second_run_changes_nothing(served: tuple[Lab, str, str]) -> None:
    lab, address, example = served
    app = {"fastapi": "fastapi_app", "flask": "flask_app"}[example]
    packages = next((lab.state / "hosts" / lab.name(address)).glob(f"C/inetpub/{app}/venvs/*/Lib/site-packages"))
    assert not [entry.name for entry in packages.iterdir() if entry.name.lower().startswith("django")]
    before = lab.hash(address)
    run = lab.pyinfra(address, deploy="deploys/python_web.py", example=example)
    assert (run.code, run.changed) == (0, []), run.output
    assert lab.hash(address) == before


def test_the_deploys_for_operators_know_its_kind(served: tuple[Lab, str, str]) -> None:
    lab, address, example = served
    run = lab.pyinfra(address, deploy="deploys/verify.py", example=example, options=["--dry"])
    assert run.code == 0, run.output
    run = lab.pyinfra(address, deploy="deploys/releases.py", example=example, options=["--dry"])
    assert re.search(r"r[0-9a-f]{15}\b.*live", run.output), run.output
    both = {"django_project": ROOT / "examples/mysite"}
    run = lab.pyinfra(address, deploy="deploys/releases.py", example=example, options=["--dry"], **both)
    assert "settings of several applications; say which by --data kind=django or kind=web" in run.output
    assert "Traceback" not in run.output
    run = lab.pyinfra(address, deploy="deploys/releases.py", example=example, options=["--dry"], kind="web", **both)
    assert re.search(r"r[0-9a-f]{15}\b.*live", run.output), run.output


def test_what_django_alone_has_is_no_setting_here(lab: Lab) -> None:
    run = lab.pyinfra(lab.addresses[0], deploy="deploys/python_web.py", example="flask", web_migrate=True)
    assert run.code != 0
    assert "web_migrate is no setting of this deploy" in run.output
    assert "Traceback" not in run.output


def test_an_application_that_does_not_exist_is_said_before_anything_is_sent(lab: Lab) -> None:
    address = lab.addresses[3]
    before = lab.hash(address)
    run = lab.pyinfra(address, deploy="deploys/python_web.py", example="flask", web_application="nowhere:app")
    assert run.code != 0
    assert f"{ROOT / 'examples/flask_app/nowhere.py'} does not exist" in run.output
    assert lab.hash(address) == before


def test_below_another_site_its_script_name_is_right(served: tuple[Lab, str, str]) -> None:
    lab, address, example = served
    if example != "flask":
        pytest.skip("once is enough")
    appcmd = r"%windir%\system32\inetsrv\appcmd.exe"
    found = lab.cmd(address, rf'{appcmd} list vdir "flask_app/" /text:physicalPath').strip()
    # A site of somebody else's: below our own, its web.config's entries would be there twice.
    lab.cmd(
        address,
        rf"{appcmd} add site /name:plain /bindings:http/*:8095: /physicalPath:C:\inetpub\wwwroot "
        rf'& {appcmd} add app /site.name:plain /path:/below /physicalPath:"{found}" & {appcmd} set app "plain/below" /applicationPool:flask_app',
    )
    try:
        status, _, body = get(address, "/below/", 8095)
        assert (status, WORDS[example] in body, 'href="/below/static/style.css"' in body) == (200, True, True), body
        assert get(address, "/below/static/style.css", 8095)[0] == 200
        assert 'href="/static/style.css"' in get(address, "/", PORTS[example])[2]
    finally:
        lab.cmd(address, rf"{appcmd} delete site plain")


def test_an_application_that_fails_at_start_never_gets_a_visitor(served: tuple[Lab, str, str], tmp_path: Path) -> None:
    lab, address, example = served
    if example != "flask":
        pytest.skip("once is enough")
    broken = tmp_path / "flask_app"
    broken.mkdir()
    (broken / "app.py").write_text("def create_app():\n    raise RuntimeError('no greeting today')\n")
    (broken / "requirements.txt").write_text((ROOT / "examples/flask_app/requirements.txt").read_text())
    run = lab.pyinfra(address, deploy="deploys/python_web.py", example="flask", web_project=broken)
    assert run.code != 0
    assert "no greeting today" in run.output
    assert WORDS["flask"] in get(address, "/", PORTS["flask"])[2]


def test_it_is_deployed_below_a_site_that_only_https_reaches(served: tuple[Lab, str, str]) -> None:
    """The site, its certificate that nobody trusts, and its other content are somebody else's."""
    lab, address, example = served
    if example != "flask":
        pytest.skip("once is enough")
    appcmd = r"%windir%\system32\inetsrv\appcmd.exe"
    binding = "protocol='https',bindingInformation='*:8443:plain.example',sslFlags='1'"
    made = r"(New-SelfSignedCertificate -DnsName plain.example -CertStoreLocation Cert:\LocalMachine\My).Thumbprint"
    thumbprint = lab.powershell(address, made).strip()
    lab.cmd(
        address,
        rf"{appcmd} delete site flask_app & {appcmd} add site /name:plain /bindings:http/*:8095: /physicalPath:C:\inetpub\wwwroot "
        rf'& {appcmd} set site plain "/+bindings.[{binding}]" & netsh http add sslcert hostnameport=plain.example:8443 '
        f"certhash={thumbprint} appid={{4dc3e181-e14b-4a21-b022-59fc669b0914}} certstorename=MY",
    )
    settings = {"web_site": "plain", "web_path": "/below", "web_bindings": '["https://*:8443:plain.example"]'}
    try:
        run = lab.pyinfra(address, deploy="deploys/python_web.py", example=example, **settings)
        assert run.code == 0, run.output
        assert "The certificate that plain sends is self-signed; the site works" in run.output
        status, body = get_by_name(address, "plain.example", "/below/")
        assert (status, WORDS[example] in body, 'href="/below/static/style.css"' in body) == (200, True, True), body
        assert "https request" in body
        assert get_by_name(address, "plain.example", "/iisstart.htm")[0] == 200
        run = lab.pyinfra(address, deploy="deploys/python_web.py", example=example, **settings)
        assert (run.code, run.changed) == (0, []), run.output
    finally:
        lab.cmd(
            address, f"{appcmd} delete site plain & netsh http delete sslcert hostnameport=plain.example:8443 & exit 0"
        )


def get_by_name(address: str, name: str, path: str) -> tuple[int, str]:
    """Ask for a page over TLS by a host name (SNI)."""
    raw = ssl._create_unverified_context().wrap_socket(
        socket.create_connection((address, 8443), 30), server_hostname=name
    )
    connection = http.client.HTTPConnection(name, 8443)
    connection.sock = raw
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode("utf-8", "replace")
