"""How a site is asked: through which binding, by which name, and what is told of the certificate that it sends."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pyinfra_iis.deploys import web
from pyinfra_iis.deploys.web import _site
from pyinfra_iis.operations.release import health_check
from pyinfra_iis.powershell import source
from pyinfra_iis.release import release as releases
from pyinfra_iis.settings import WebSettings, build
from tests.winlab.powershell_dotnet.conftest import run_on
from winlab.windows.machine import Machine

BELOW = {"site": "Default Web Site", "path": "/shop/new"}
CERTIFICATE = {"subject": "www.example.com"}


def settings(folder: Path, **values: Any) -> WebSettings:
    (folder / "main.py").write_text("async def app(scope, receive, send): ...\n")
    (folder / "requirements.txt").write_text("")
    return build({"project": folder, "app": "shop", "application": "main:app", **values}, WebSettings)


@pytest.mark.parametrize(
    ("values", "address", "host"),
    [
        ({}, "http://localhost:80/", ""),
        ({"bindings": ["10.0.0.5:8080:www.example.com"]}, "http://10.0.0.5:8080/", "www.example.com:8080"),
        (
            {"bindings": ["*:80:www.example.com", "https://*:443:www.example.com"], "certificate": CERTIFICATE},
            "https://localhost:443/",
            "www.example.com:443",
        ),
        ({"bindings": ["*:80:*.example.com"]}, "http://localhost:80/", "www.example.com:80"),
        ({**BELOW, "health": {"path": "/up?x=1"}}, "http://localhost:80/shop/new/up?x=1", ""),
        ({**BELOW, "bindings": ["https://*:443:i.example"]}, "https://localhost:443/shop/new/", "i.example:443"),
    ],
)
def test_where_a_site_is_asked(tmp_path: Path, values: dict[str, Any], address: str, host: str) -> None:
    check = health_check(settings(tmp_path, **values))
    assert (check.address, check.host) == (address, host)
    assert (check.site, check.application) == (("Default Web Site", "/shop/new") if "path" in values else ("shop", "/"))


def test_below_a_site_only_its_application_is_wanted(tmp_path: Path) -> None:
    made = releases.make(settings(tmp_path, **BELOW, handlers="location", preload=True, max_content_length=5))
    site = _site(made)
    sites, handlers, limits = site.edits.sections
    (item,) = sites["items"]
    assert (item["key"], item["must"]) == ({"name": "Default Web Site"}, True)
    assert not {"set", "in"} & item.keys()
    (application,) = item["items"]
    assert application["key"] == {"path": "/shop/new"}
    assert application["set"] == {"applicationPool": "shop", "preloadEnabled": True}
    assert application["items"] == [
        {"tag": "virtualDirectory", "key": {"path": "/"}, "set": {"physicalPath": made.directory}}
    ]
    assert handlers["location"] == limits["location"] == "Default Web Site/shop/new"
    # The site's own entries are inherited; a name may only be there once.
    assert handlers["items"][0]["key"] == {"name": "pyinfra-iis-shop"}
    assert (site.edits.certificates, site.edits.states) == ((), ())


def test_what_visitors_may_be_warned_of(tmp_path: Path) -> None:
    machine = Machine("SRV", "2016", "127.0.0.7", tmp_path)
    now = datetime.datetime.now(datetime.UTC)

    def faults(name: str, **dates: Any) -> list[str]:
        made = machine.certificates.create_self_signed(["www.example.com", "*.apps.example.com"], **dates)
        get = f"$Certificate = Get-Item Cert:\\LocalMachine\\My\\{made.thumbprint}"
        return run_on(
            machine, f"{source('iis/certificate_faults')}\n{get}\nGet-CertificateFaults $Certificate '{name}'"
        )

    assert faults("www.example.com") == faults("a.apps.example.com") == faults("") == ["is self-signed"]
    assert faults("a.b.apps.example.com") == ["is not for a.b.apps.example.com", "is self-signed"]
    over, begin = now - datetime.timedelta(days=2), now + datetime.timedelta(days=2)
    assert faults("", not_before=now - datetime.timedelta(days=9), not_after=over) == [
        f"has expired on {over:%Y-%m-%d}",
        "is self-signed",
    ]
    assert faults("", not_before=begin)[0] == f"is not valid before {begin:%Y-%m-%d}"


def test_nobody_listens_is_an_answer(tmp_path: Path) -> None:
    machine = Machine("SRV", "2016", "127.0.0.8", tmp_path)
    ask = "ConvertTo-Json (Get-Response 'https://localhost:9/' 'www.example.com:9' 2000 '1')"
    answer = json.loads("\n".join(run_on(machine, f"{source('iis/request')}\n{ask}")))
    assert (answer["status"], answer["certificate"]) == (0, [])
    assert "refused" in answer["problem"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, ""),
        ({"installed": False, "exists": False}, ""),
        ({"exists": False}, "web1 has no site 'Default Web Site' that /shop/new could be below"),
        ({"state": "Stopped"}, "the site 'Default Web Site' on web1 is not started"),
        ({"bindings": ["https://*:443:"]}, "has no binding http://*:80:, by which /shop/new is to be reached"),
        ({"path": r"C:\inetpub\shop\releases\r1"}, ""),
        ({"path": r"C:\inetpub\shopping"}, r"Default Web Site/shop/new on web1 serves C:\inetpub\shopping"),
        ({"pool_users": ["intranet/"]}, "the app pool shop on web1 is used by intranet/; take that away first"),
        ({"problem": "web.config is not well-formed"}, "cannot read the configuration of the site 'Default Web Site'"),
    ],
)
def test_a_site_that_nothing_can_be_below_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], sentence: str
) -> None:
    there = {
        "installed": True,
        "exists": True,
        "state": "Started",
        "bindings": ["http://*:80:", "net.tcp://808:*"],
        "path": "",
        "pool_users": [],
        "problem": "",
    }
    steps = web.Steps(releases.make(settings(tmp_path, **BELOW)))
    monkeypatch.setattr(web, "host", SimpleNamespace(name="web1"))
    monkeypatch.setattr(web.facts, "read", lambda host, fact, **asked: {**there, **changes})
    said = steps._unfit_parent()
    assert sentence in said and bool(said) is bool(sentence)
