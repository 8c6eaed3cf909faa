"""The settings overlay, imported by a real Django around projects of every kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pyinfra_iis.release import release
from pyinfra_iis.settings import DjangoSettings, build
from tests.pyinfra_iis import projects

SHOW = """\
import json, sys, django
from django.conf import settings
django.setup()
names = ["DEBUG", "ALLOWED_HOSTS", "SECRET_KEY", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "STATIC_ROOT", "STATIC_URL",
         "MEDIA_ROOT", "MIDDLEWARE", "STORAGES", "DATABASES", "CACHES", "LOGGING", *sys.argv[1:]]
print(json.dumps({name: getattr(settings, name) for name in names}, default=str))
"""
WHITENOISE = "whitenoise.middleware.WhiteNoiseMiddleware"
STORAGE = "whitenoise.storage.CompressedManifestStaticFilesStorage"


def effective(
    tmp_path: Path, settings: str, key: str | None = "k" * 50, show: tuple[str, ...] = (), **values: Any
) -> dict[str, Any]:
    project = projects.make(tmp_path / "project", settings=settings)
    made = release.make(build({"project": project, **values}, DjangoSettings))
    place = tmp_path / "root" / "releases" / made.id
    for folder in ("data", "logs", "media"):
        (tmp_path / "root" / "shared" / folder).mkdir(parents=True)
    for path, file in made.files.items():
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read())
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "pyinfra_iis_settings", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("DJANGO_SECRET_KEY", None)
    if key:
        environment["DJANGO_SECRET_KEY"] = key
    run = subprocess.run(
        [sys.executable, "-c", SHOW, *show], cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    if run.returncode:
        return {"error": run.stderr.strip().splitlines()[-1]}
    return {**json.loads(run.stdout), "release": str(place)}


def test_an_untouched_project_becomes_safe(tmp_path: Path) -> None:
    found = effective(tmp_path, projects.SETTINGS, bindings=["*:80:shop.example.com"])
    assert found["DEBUG"] is False
    assert found["ALLOWED_HOSTS"] == ["shop.example.com"]
    assert found["SECRET_KEY"] == "k" * 50
    assert found["SESSION_COOKIE_SECURE"] and found["CSRF_COOKIE_SECURE"]
    assert found["STATIC_ROOT"] == f"{found['release']}/collected_static"
    assert found["MIDDLEWARE"][:2] == ["django.middleware.security.SecurityMiddleware", WHITENOISE]
    assert found["STORAGES"]["staticfiles"]["BACKEND"] == STORAGE
    shared = str(Path(found["release"]).parent.parent / "shared")
    assert found["MEDIA_ROOT"] == f"{shared}/media"
    assert found["DATABASES"]["default"]["NAME"] == f"{shared}/data/db.sqlite3"


BELOW = ("FORCE_SCRIPT_NAME", "SESSION_COOKIE_PATH", "CSRF_COOKIE_PATH", "LOGIN_URL", "LOGIN_REDIRECT_URL", "MEDIA_URL")


def test_below_a_site_paths_of_the_root_become_its_own(tmp_path: Path) -> None:
    own = "STATIC_URL = '/static/'\nMEDIA_URL = 'media/'\nLOGIN_URL = '/accounts/enter/'\nLOGIN_REDIRECT_URL = 'home'\n"
    found = effective(
        tmp_path, projects.SETTINGS + own, site="Default Web Site", path="/shop", secure_cookies=False, show=BELOW
    )
    assert found["STATIC_URL"] == "/shop/static/"
    assert [found[name] for name in BELOW] == [
        "/shop",
        "/shop",
        "/shop",
        "/shop/accounts/enter/",
        "home",
        "/shop/media/",
    ]


def test_below_a_site_what_the_project_has_chosen_stays(tmp_path: Path) -> None:
    own = "STATIC_URL = 'https://cdn.example.com/s/'\nSESSION_COOKIE_PATH = '/'\nLOGIN_URL = '/shop/enter/'\nMEDIA_URL = '/shop/m/'\n"
    found = effective(
        tmp_path, projects.SETTINGS + own, site="Default Web Site", path="/shop", secure_cookies=False, show=BELOW
    )
    assert found["STATIC_URL"] == "https://cdn.example.com/s/"
    assert [found[name] for name in BELOW] == [
        "/shop",
        "/",
        "/shop",
        "/shop/enter/",
        "/shop/accounts/profile/",
        "/shop/m/",
    ]


def test_a_key_that_startproject_wrote_is_not_taken(tmp_path: Path) -> None:
    assert "DJANGO_SECRET_KEY is not set" in effective(tmp_path, projects.SETTINGS, key=None)["error"]


def test_a_key_of_the_project_itself_is_taken(tmp_path: Path) -> None:
    settings = projects.SETTINGS.replace("django-insecure-x", "own-key")
    assert effective(tmp_path, settings, key=None)["SECRET_KEY"] == "own-key"


def test_a_project_with_whitenoise_keeps_its_place(tmp_path: Path) -> None:
    settings = projects.SETTINGS + f'MIDDLEWARE += ["{WHITENOISE}"]\n'
    assert effective(tmp_path, settings)["MIDDLEWARE"].count(WHITENOISE) == 1


def test_a_project_with_storages_keeps_them(tmp_path: Path) -> None:
    plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings = projects.SETTINGS + f'STORAGES = {{"staticfiles": {{"BACKEND": "{plain}"}}}}\n'
    assert effective(tmp_path, settings)["STORAGES"]["staticfiles"]["BACKEND"] == plain


def test_other_storages_of_a_project_stay(tmp_path: Path) -> None:
    own = "django.core.files.storage.InMemoryStorage"
    settings = projects.SETTINGS + f'STORAGES = {{"default": {{"BACKEND": "{own}"}}}}\n'
    storages = effective(tmp_path, settings)["STORAGES"]
    assert (storages["default"]["BACKEND"], storages["staticfiles"]["BACKEND"]) == (own, STORAGE)


def test_a_static_root_inside_the_project_stays(tmp_path: Path) -> None:
    found = effective(tmp_path, projects.SETTINGS + 'STATIC_ROOT = BASE_DIR / "public"\n')
    assert found["STATIC_ROOT"] == f"{found['release']}/public"


def test_a_static_root_of_another_machine_goes(tmp_path: Path) -> None:
    found = effective(tmp_path, projects.SETTINGS + 'STATIC_ROOT = "/var/www/static"\n')
    assert found["STATIC_ROOT"] == f"{found['release']}/collected_static"


@pytest.mark.parametrize(("own", "hosts"), [('["a.example"]', ["a.example"]), ("[]", ["*"])])
def test_without_a_host_name_the_projects_own_list_counts(tmp_path: Path, own: str, hosts: list[str]) -> None:
    assert effective(tmp_path, projects.SETTINGS + f"ALLOWED_HOSTS = {own}\n")["ALLOWED_HOSTS"] == hosts


def test_cookies_go_over_plain_http_only_when_the_user_says_so(tmp_path: Path) -> None:
    found = effective(tmp_path, projects.SETTINGS, secure_cookies=False)
    assert not found["SESSION_COOKIE_SECURE"] and not found["CSRF_COOKIE_SECURE"]


def test_the_development_server_keeps_debug(tmp_path: Path) -> None:
    found = effective(tmp_path, projects.SETTINGS, server="runserver")
    assert found["DEBUG"] is True
    assert WHITENOISE not in found["MIDDLEWARE"]


def shared(found: dict[str, Any]) -> str:
    return str(Path(found["release"]).parent.parent / "shared")


@pytest.mark.parametrize(
    ("engine", "name", "kept"),
    [
        ("django.db.backends.sqlite3", '"db.sqlite3"', "db.sqlite3"),
        ("django.db.backends.sqlite3", '"data/own.db"', "own.db"),
        ("django.db.backends.sqlite3", 'BASE_DIR.parent / "db.sqlite3"', "db.sqlite3"),
        ("django.db.backends.sqlite3", 'str(BASE_DIR / "db.sqlite3")', "db.sqlite3"),
    ],
)
def test_a_database_file_outlives_a_release_wherever_it_lies_in_the_project(
    tmp_path: Path, engine: str, name: str, kept: str
) -> None:
    """A relative path is one in the folder where the process runs; a folder above manage.py is the list of releases."""
    found = effective(
        tmp_path, projects.SETTINGS + f'DATABASES = {{"default": {{"ENGINE": "{engine}", "NAME": {name}}}}}\n'
    )
    assert found["DATABASES"]["default"]["NAME"] == f"{shared(found)}/data/{kept}"


@pytest.mark.parametrize("name", ['":memory:"', '"file:memory?mode=memory&cache=shared"', '"/data/db.sqlite3"', "None"])
def test_a_database_that_is_no_file_of_the_project_stays(tmp_path: Path, name: str) -> None:
    engine = "django.db.backends.sqlite3"
    found = effective(
        tmp_path, projects.SETTINGS + f'DATABASES = {{"default": {{"ENGINE": "{engine}", "NAME": {name}}}}}\n'
    )
    assert str(found["DATABASES"]["default"]["NAME"]) == name.strip('"')


@pytest.mark.parametrize("own", ['"media"', 'BASE_DIR / "media"', 'BASE_DIR.parent / "media"', '""'])
def test_uploads_outlive_a_release(tmp_path: Path, own: str) -> None:
    found = effective(tmp_path, projects.SETTINGS + f"MEDIA_ROOT = {own}\n")
    assert found["MEDIA_ROOT"] == f"{shared(found)}/media"


def test_uploads_elsewhere_stay_there(tmp_path: Path) -> None:
    assert effective(tmp_path, projects.SETTINGS + 'MEDIA_ROOT = "/files/media"\n')["MEDIA_ROOT"] == "/files/media"


def test_folders_of_storages_outlive_a_release(tmp_path: Path) -> None:
    files = "django.core.files.storage.FileSystemStorage"
    settings = projects.SETTINGS + (
        f'STORAGES = {{"default": {{"BACKEND": "{files}", "OPTIONS": {{"location": BASE_DIR / "uploads"}}}},\n'
        f'  "bills": {{"BACKEND": "{files}", "OPTIONS": {{"location": "bills"}}}},\n'
        '  "cloud": {"BACKEND": "cloud.S3Storage", "OPTIONS": {"location": "media"}}}\n'
    )
    found = effective(tmp_path, settings)
    places = {alias: entry.get("OPTIONS", {}).get("location") for alias, entry in found["STORAGES"].items()}
    expected = {"default": f"{shared(found)}/media", "bills": f"{shared(found)}/data/bills", "cloud": "media"}
    assert places == {**expected, "staticfiles": None}


def test_a_cache_in_files_goes_where_the_site_may_write(tmp_path: Path) -> None:
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    found = effective(
        tmp_path,
        projects.SETTINGS + f'CACHES = {{"default": {{"BACKEND": "{backend}", "LOCATION": BASE_DIR / "cache"}}}}\n',
    )
    assert found["CACHES"]["default"]["LOCATION"] == f"{shared(found)}/data/cache"
    # Django would make the folder with 0o700, on Windows for its maker and administrators only: for the deploy, when that writes first.
    assert (Path(shared(found)) / "data" / "cache").stat().st_mode & 0o777 != 0o700


def test_what_is_collected_is_not_the_deploys_own(tmp_path: Path) -> None:
    """With 0o700 folders are their maker's alone on Windows, too; no other mode means anything there."""
    name = "FILE_UPLOAD_DIRECTORY_PERMISSIONS"
    assert effective(tmp_path / "a", projects.SETTINGS + f"{name} = 0o700\n", show=(name,))[name] is None
    assert effective(tmp_path / "b", projects.SETTINGS + f"{name} = 0o750\n", show=(name,))[name] == 0o750


def test_a_log_file_of_the_project_goes_where_the_site_may_write(tmp_path: Path) -> None:
    """The folder that it names is seldom under version control."""
    settings = projects.SETTINGS + (
        'import sys\nLOGGING = {"version": 1, "formatters": {"old": {"format": "%(asctime)s %(message)s"}}, "handlers": {\n'
        '  "file": {"class": "logging.FileHandler", "filename": BASE_DIR / "logs" / "shop.log", "formatter": "old"},\n'
        '  "out": {"class": "logging.StreamHandler", "stream": sys.stdout}},\n'
        '  "root": {"handlers": ["file", "out"]}}\n'
    )
    found = effective(tmp_path, settings)
    assert "error" not in found, found
    assert found["LOGGING"]["handlers"]["file"]["filename"] == f"{shared(found)}/logs/shop.log"
    assert (Path(shared(found)) / "logs" / "shop.log").is_file()
