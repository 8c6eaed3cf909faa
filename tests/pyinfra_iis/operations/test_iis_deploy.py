"""What the deploys' settings want of IIS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyinfra_iis.deploys.web import _site
from pyinfra_iis.release import release as releases
from pyinfra_iis.settings import SettingsError, WebSettings, build


def wanted(folder: Path, **values: Any) -> list[dict[str, Any]]:
    (folder / "main.py").write_text("async def app(scope, receive, send): ...\n")
    (folder / "requirements.txt").write_text("")
    settings = build({"project": folder, "app": "shop", "application": "main:app", **values}, WebSettings)
    return list(_site(releases.make(settings)).edits.sections)


def test_handlers_in_web_config_or_for_the_site_only(tmp_path: Path) -> None:
    unlocked, located = wanted(tmp_path), wanted(tmp_path, handlers="location")
    assert unlocked[1]["items"] == [{"key": {"name": "pyinfra-iis"}, "present": False}]
    (entry,) = located[1]["items"]
    assert (located[1]["section"], located[1]["location"]) == ("system.webServer/handlers", "shop")
    assert entry["set"]["modules"] == "httpPlatformHandler" and entry["first"] is True


def test_what_is_not_asked_for_is_not_wanted(tmp_path: Path) -> None:
    plain = wanted(tmp_path)
    assert [section["section"] for section in plain] == ["system.applicationHost/sites", "system.webServer/handlers"]
    assert "preloadEnabled" not in plain[0]["items"][0]["items"][0]["set"]


def test_preload_and_limits(tmp_path: Path) -> None:
    sections = wanted(tmp_path, preload=True, max_content_length=5)
    assert sections[0]["items"][0]["items"][0]["set"]["preloadEnabled"] is True
    assert sections[2]["set"] == {"requestLimits": {"maxAllowedContentLength": 5}}


def test_hsts_needs_https(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="hsts: only means something with an https binding"):
        wanted(tmp_path, hsts=60)
    certificate = {"bindings": ["https://*:443:www.example.com"], "certificate": {"subject": "www.example.com"}}
    assert wanted(tmp_path, hsts=60, **certificate)[2]["items"][0]["set"]["hsts"]["max-age"] == 60
