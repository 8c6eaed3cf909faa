"""Settings: defaults, and a sentence for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import reference
from pyinfra_iis.settings import Binding, DjangoSettings, SettingsError, from_data
from tests.pyinfra_iis import projects


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return projects.make(tmp_path / "My Shop")


def test_the_project_folder_is_enough(project: Path) -> None:
    settings = from_data({"django_project": str(project), "unrelated": 1}, DjangoSettings)
    assert settings.app == "My-Shop"
    assert settings.root == r"C:\inetpub\My-Shop"
    assert [str(binding) for binding in settings.bindings] == ["*:80:"]
    assert settings.server == "uvicorn"
    assert settings.secure_cookies
    assert settings.python_directory == rf"C:\Python\3.14.6-{settings.python.sha256[:8]}"


@pytest.mark.parametrize(
    ("bindings", "hosts"),
    [
        (["*:80:"], ("*",)),
        (["*:80:shop.example.com", "https://*:443:shop.example.com"], ("shop.example.com",)),
        (["*:80:*.example.com"], (".example.com",)),
        (["*:80:a.example.com", "*:81:"], ("*",)),
    ],
)
def test_allowed_hosts_come_from_the_bindings(project: Path, bindings: list[str], hosts: tuple[str, ...]) -> None:
    data = {
        "django_project": project,
        "django_bindings": bindings,
        "django_certificate": {"subject": "shop.example.com"},
    }
    assert from_data(data, DjangoSettings).hosts == hosts


def test_binding_is_written_as_iis_writes_it() -> None:
    binding = Binding.parse("https://10.0.0.5:443:www.example.com")
    assert (binding.protocol, binding.information) == ("https", "10.0.0.5:443:www.example.com")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "django_project is not set: the folder that holds manage.py."),
        ({"django_projekt": "x"}, "django_project is not set: the folder that holds manage.py."),
        ({"django_bindngs": "*:80:"}, "django_bindngs is no setting of this deploy; is django_bindings meant?"),
        (
            {"django_bindings": "80"},
            "django_bindings.0: '80' is not a binding; write ip:port:host as IIS does, for example '*:80:'.",
        ),
        ({"django_bindings": "*:0:"}, "django_bindings.0: port 0 of '*:0:' is not between 1 and 65535."),
        (
            {"django_bindings": "10.0.0.300:80:"},
            "django_bindings.0: '10.0.0.300' of '10.0.0.300:80:' is no IP address; * stands for all.",
        ),
        ({"django_bindings": [{"ip": "all"}]}, "django_bindings.0.ip: 'all' is no IP address; * stands for all."),
        ({"django_bindings": []}, "django_bindings: tuple should have at least 1 item after validation, not 0."),
        ({"django_bindings": ["*:80:", "*:80:"]}, "django_bindings: the same binding stands there twice."),
        (
            {"django_server": "gunicorn"},
            "django_server: input should be 'uvicorn', 'waitress', 'hypercorn', 'granian', 'runserver' or 'command'.",
        ),
        (
            {"django_app": "a/b"},
            "django_app: 'a/b' cannot name a site and a folder; use letters, digits, '-', '_' and '.', at most 63.",
        ),
        (
            {"django_root": "inetpub"},
            r"django_root: 'inetpub' is not an absolute Windows path such as C:\inetpub\mysite.",
        ),
        (
            {"django_python": {"version": "3.13.1"}},
            "django_python: another Python than the default needs url and sha256 too.",
        ),
        (
            {"django_python": {"kind": "existing", "version": "3.13.1"}},
            "django_python: an existing Python needs path and version.",
        ),
        ({"django_path": "/shop"}, "django_path: goes with site; an application below a site needs both."),
        ({"django_site": "Default Web Site"}, "django_site: goes with path; an application below a site needs both."),
        (
            {"django_site": "intranet", "django_path": "/shop/"},
            "django_path: '/shop/' is no path of an application, such as /shop: letters, digits, '-', '_', '.' and '~'.",
        ),
        (
            {"django_site": "intranet", "django_path": "/shop", "django_certificate": {"subject": "x.example"}},
            "django_certificate: is a matter of the site 'intranet', of which this deploy changes nothing; leave it out.",
        ),
        ({"django_handler": {"version": "3"}}, "django_handler.version: input should be '1.2' or '2.0'."),
        ({"django_handler": {"url": "http://x/y.msi"}}, "django_handler: another url needs its sha256 too."),
        (
            {"django_python": {"versio": "3.13.1"}},
            "django_python.versio is no setting of this deploy; is django_python.version meant?",
        ),
        (
            {"django_python": "3.13.1"},
            'django_python is not of the form {"url": ..., "sha256": ..., "version": ..., "kind": ..., "path": ...}.',
        ),
        (
            {"django_python": {"url": "ftp://x/y.zip"}},
            "django_python.url: 'ftp://x/y.zip' is neither an http(s) address nor a path on this machine.",
        ),
        (
            {"django_python": {"version": "3.13", "url": "x.zip", "sha256": "0" * 64}},
            "django_python.version: '3.13' is no whole version of Python 3, such as 3.14.6.",
        ),
        (
            {"django_python": {"version": "3.8.10", "url": "x.zip", "sha256": "0" * 64}},
            "django_python.version: Python 3.8.10 is too old; 3.9 is the first that works.",
        ),
        (
            {"django_python": {"kind": "installer", "version": "3.16.0", "url": "x.exe", "sha256": "0" * 64}},
            "django_python: there is no installer of Python 3.16.0 any more; take the kind 'zip' or 'nuget'.",
        ),
        ({"django_bindings": [5]}, "django_bindings.0: input should be a valid dictionary or instance of Binding."),
        ({"django_keep": "many"}, "django_keep: 'many' is no whole number."),
        ({"django_migrate": "maybe"}, "django_migrate: 'maybe' is neither true nor false."),
        ({"django_rollout": {"pause": "long"}}, "django_rollout.pause: 'long' is no number."),
        ({"django_allowed_hosts": 5}, "django_allowed_hosts: 5 is no list."),
        (
            {"django_bindings": 8080},
            "django_bindings.0: '8080' is not a binding; write ip:port:host as IIS does, for example '*:80:'.",
        ),
        ({"django_environment": "A=1"}, 'django_environment: is not of the form {"NAME": "value"}.'),
        ({"django_environment": {"DEBUG": True}}, "django_environment.DEBUG: True is no text; put it into quotes."),
        (
            {"django_app": "con"},
            "django_app: a folder of this name cannot exist on Windows because of 'con'; set another.",
        ),
        ({"django_root": "C:\\"}, "django_root: 'C:\\' is a whole drive; name a folder on it."),
        (
            {"django_root": r"D:\sites\aux\shop"},
            r"django_root: 'D:\sites\aux\shop' cannot exist on Windows because of 'aux'.",
        ),
        ({"django_ref": "-x"}, "django_ref: '-x' cannot be a branch, tag or commit."),
        ({"django_python": {"sha256": "12"}}, "django_python.sha256: a SHA-256 is 64 hexadecimal digits."),
        (
            {
                "django_secure_cookies": False,
                "django_bindings": "https://*:443:x.example",
                "django_certificate": {"subject": "x.example"},
            },
            "django_secure_cookies: cannot be off while the site has an https binding.",
        ),
    ],
)
def test_a_mistake_is_one_sentence(project: Path, data: dict[str, object], sentence: str) -> None:
    if data and "django_projekt" not in data:
        data = {"django_project": str(project), **data}
    with pytest.raises(SettingsError) as caught:
        from_data(data, DjangoSettings)
    assert str(caught.value) == sentence


def test_a_folder_without_manage_py_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=rf"the project folder {tmp_path} holds no manage.py"):
        from_data({"django_project": str(tmp_path)}, DjangoSettings)


def test_a_number_on_the_command_line_is_a_text_where_one_is_wanted(project: Path) -> None:
    given = {
        "django_app": 2024,
        "django_ref": 1234567,
        "django_secret_key": 12345678,
        "django_environment": {"PORT": 25},
    }
    settings = from_data({"django_project": str(project), **given}, DjangoSettings)
    assert (settings.app, settings.ref, settings.environment) == ("2024", "1234567", {"PORT": "25"})
    assert settings.secret_values == ("12345678",)


def test_the_folder_that_holds_manage_py_is_told(tmp_path: Path) -> None:
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend/manage.py").touch()
    with pytest.raises(SettingsError, match=rf"name the folder that does: {tmp_path / 'backend'}\.$"):
        from_data({"django_project": str(tmp_path)}, DjangoSettings)


def test_projects_in_folders_called_src_are_called_by_the_folder_above(tmp_path: Path) -> None:
    folder = tmp_path / "Läden & Söhne" / "src"
    folder.mkdir(parents=True)
    (folder / "manage.py").touch()
    assert from_data({"django_project": str(folder)}, DjangoSettings).app == "L-den-S-hne"


def test_the_secret_key_shows_nowhere(project: Path) -> None:
    settings = from_data({"django_project": project, "django_secret_key": "very-secret"}, DjangoSettings)
    assert "very-secret" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_the_reference_is_what_the_model_says() -> None:
    text = reference.PAGE.read_text(encoding="utf-8")
    assert reference.page(text) == text, "run: make reference"
