"""What the virtual environment holds, from every kind of file, and what cannot work on a server."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyinfra_iis.release import release, requirement_files, requirements
from pyinfra_iis.release.project import DjangoProject, Project, ProjectError
from pyinfra_iis.release.requirements import Requirements
from pyinfra_iis.settings import DjangoSettings, WebSettings, build
from tests.pyinfra_iis import projects
from tests.pyinfra_iis.release.test_wheels import wheel

HASH = "--hash=sha256:" + "0" * 64
OLD_PYTHON = {"version": "3.11.9", "url": "http://mirror.example/python.zip", "sha256": "0" * 64}


def read(tmp_path: Path, files: Mapping[str, str | bytes], **values: Any) -> Requirements:
    folder = projects.make(tmp_path / "project")
    (folder / "requirements.txt").unlink(missing_ok=True)
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return requirements.read(DjangoProject(build({"project": folder, **values}, DjangoSettings)))


def refusal(tmp_path: Path, files: Mapping[str, str | bytes], **values: Any) -> str:
    with pytest.raises(ProjectError) as caught:
        read(tmp_path, files, **values)
    return str(caught.value).replace(str(tmp_path / "project"), "PROJECT")


def test_several_files_and_constraints(tmp_path: Path) -> None:
    files = {
        "req/base.txt": "Django\n",
        "prod.txt": "-r more.txt\nUvicorn==0.40\n",
        "more.txt": "idna\n",
        "limits.txt": "django<6\nunused==1\n",
    }
    found = read(tmp_path, files, requirements=["req/base.txt", "./prod.txt"], constraints="limits.txt")
    assert found.arguments == ("-r", "req/base.txt", "-r", "prod.txt", "-c", "limits.txt", "whitenoise>=6")
    assert (found.files, found.constraints, found.texts) == (
        ["req/base.txt", "prod.txt"],
        ["limits.txt"],
        ["whitenoise>=6"],
    )
    assert found.packages == {"django": "", "idna": "", "uvicorn": "==0.40", "whitenoise": ">=6"}
    changed = read(
        tmp_path,
        {**files, "limits.txt": "django<5\n"},
        requirements=["req/base.txt", "prod.txt"],
        constraints="limits.txt",
    )
    assert changed.key != found.key


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_as_powershell_writes_it(tmp_path: Path, encoding: str) -> None:
    text = "Django==5.2 # for now\r\nidna \\\r\n  >=3 ; python_version >= '3.8'\r\n# uvicorn\r\n"
    assert dict(read(tmp_path, {"requirements.txt": text.encode(encoding)}).packages) == {
        "django": "==5.2",
        "idna": ">=3",
        "uvicorn": ">=0.36",
        "whitenoise": ">=6",
    }


def test_markers_are_those_of_the_server(tmp_path: Path) -> None:
    text = "django\nuvicorn==0.20; sys_platform == 'linux'\ncolorama; os_name == 'nt'\ntomli; python_version < '3.11'\nx.whl; sys_platform == 'darwin'\n"
    assert list(read(tmp_path, {"requirements.txt": text}).packages) == ["colorama", "django", "uvicorn", "whitenoise"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "-e .",
            "installs for development; what is in the project can be imported as it is, so leave the line out on servers",
        ),
        ("--editable=./library", "installs for development;"),
        (
            "git+https://me:secret@host.example/x.git@v1",
            "wants git+https://***@host.example/x.git@v1 from a version control system",
        ),
        (
            "x @ git+ssh://git@host.example/x.git",
            "wants git+ssh://***@host.example/x.git from a version control system",
        ),
        (
            "-e git+https://me:secret@host.example/x.git#egg=x",
            "wants git+https://***@host.example/x.git#egg=x from a version control system",
        ),
        ("--editable=hg+https://host.example/x", "wants hg+https://host.example/x from a version control system"),
        ("svn+ssh://host.example/x", "wants svn+ssh://host.example/x from a version control system"),
        (".", "wants ., which is a folder; put a wheel of it into the project and name it by its path there"),
        ("./shop", "wants ./shop, which is a folder;"),
        ("../library", "wants ../library, which is not in PROJECT;"),
        ("/home/me/x-1.0-py3-none-any.whl", "wants /home/me/x-1.0-py3-none-any.whl, which is not in PROJECT;"),
        (
            "x @ file:///home/me/x-1.0-py3-none-any.whl",
            "wants file:///home/me/x-1.0-py3-none-any.whl, which is on this machine;",
        ),
        ("wheels/x-1.0.tar.gz", "wants wheels/x-1.0.tar.gz, which is not in PROJECT;"),
        ("shop/x.zip", "wants shop/x.zip, which is no wheel; make one of it with pip wheel"),
        (
            "-r https://me:secret@host.example/r.txt",
            "takes requirements from https://***@host.example/r.txt; put that file into the project",
        ),
        ("-r ../above.txt", "names ../above.txt, which is not in PROJECT"),
        ("-c missing.txt", "names missing.txt, which is not in PROJECT"),
        ("--index-url https://${TOKEN}@host.example/simple", "wants ${TOKEN}, which no server has;"),
        ("django 5", "is no requirement: 'django 5'"),
    ],
)
def test_lines_that_cannot_work_on_a_server(tmp_path: Path, line: str, said: str) -> None:
    sentence = refusal(tmp_path, {"requirements.txt": f"django\n{line}\n", "shop/x.zip": ""})
    assert sentence.startswith(
        f"The requirements of PROJECT cannot be installed on the servers: requirements.txt, line 2 {said}"
    )
    assert sentence.endswith(".") and "secret" not in sentence and "\n" not in sentence


def test_a_file_without_a_mark_in_an_encoding_that_pip_does_not_know(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path, {"requirements.txt": "django\r\n".encode("utf-16-le")})
        == "requirements.txt of PROJECT is no text that pip can read; save it as UTF-8."
    )


def test_what_is_asked_for_on_windows_one_by_one(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "requirements.txt": "-r req/more.txt\nDjango[argon2]~=5.2 ; python_version > '3'\nuvloop; os_name == 'posix'\n",
        "req/more.txt": "--find-links=../lib --no-index\n--trusted-host h.example\n-c limits.txt\n--no-binary x\n../lib/x-1.0-py3-none-any.whl[y]\n",
        "req/limits.txt": "idna<4; os_name == 'nt'\nsix<1; os_name == 'posix'\n",
        "lib/x-1.0-py3-none-any.whl": "x",
    }
    # As pip: a path counts from where pip runs, a folder for wheels from the file.
    files["req/more.txt"] = str(files["req/more.txt"]).replace("../lib/x", "lib/x")
    found = read(tmp_path, files)
    assert found.asked == ("x[y] @ lib/x-1.0-py3-none-any.whl", "Django[argon2]~=5.2", "uvicorn>=0.36", "whitenoise>=6")
    assert found.limits == ("idna<4",)
    assert found.options == ("--find-links", "lib", "--no-index", "--trusted-host", "h.example")


def test_every_such_line_is_named(tmp_path: Path) -> None:
    lines = refusal(
        tmp_path, {"requirements.txt": "-e .\n-r more.txt\ngit+https://host.example/x\n", "more.txt": "\n./x\n"}
    ).splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["requirements.txt,", "line", "1"],
        ["more.txt,", "line", "2"],
        ["requirements.txt,", "line", "3"],
    ]


def test_a_wheel_of_the_project_counts_by_its_content(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "requirements.txt": "./wheels/My_Lib-1.0-py3-none-any.whl\n",
        "wheels/My_Lib-1.0-py3-none-any.whl": "one",
    }
    first = read(tmp_path, files)
    assert first.packages["my-lib"] == ""
    assert read(tmp_path, {**files, "wheels/My_Lib-1.0-py3-none-any.whl": "two"}).key != first.key


@pytest.mark.parametrize(
    "line",
    [
        "C:\\wheels\\x-1.0-py3-none-any.whl",
        "x @ https://host.example/x-1.0.tar.gz",
        "x @ file:///C:/x-1.0-py3-none-any.whl",
    ],
)
def test_places_that_the_server_reaches(tmp_path: Path, line: str) -> None:
    assert "x" in read(tmp_path, {"requirements.txt": line}).packages
    assert "is not collected for servers without an index" in refusal(
        tmp_path, {"requirements.txt": line}, packages="offline"
    )


def test_a_lock_with_hashes_holds_what_the_deploy_needs_too(tmp_path: Path) -> None:
    locked = f"django==5.2 \\\n    {HASH} \\\n    {HASH}\nuvicorn[standard]==0.40 {HASH}\nwhitenoise==6.5 {HASH}\n"
    found = read(tmp_path, {"requirements.txt": locked})
    assert (found.arguments, found.with_hashes) == (("-r", "requirements.txt"), True)
    assert found.packages == {"django": "==5.2", "uvicorn": "==0.40", "whitenoise": "==6.5"}
    assert refusal(tmp_path, {"requirements.txt": f"django==5.2 {HASH}\n"}).endswith(
        "uvicorn>=0.36, whitenoise>=6 must be among them, because the deploy needs them and pip takes nothing without a hash here; "
        "add to what the lock is made from, and lock again."
    )
    assert "requirements.txt, line 6 asks for idna without a hash" in refusal(
        tmp_path, {"requirements.txt": locked + "idna==3\n"}
    )
    assert "for no single version (==)" in refusal(tmp_path, {"requirements.txt": locked + f"idna>=3 {HASH}\n"})
    # One line is enough, also one that is for another system.
    other = f"django==5.2\nuvicorn==0.40\nwhitenoise==6.5\nx==1; sys_platform == 'linux' {HASH}\n"
    assert "asks for django without a hash" in refusal(tmp_path, {"requirements.txt": other})
    assert "asks for django without a hash" in refusal(
        tmp_path, {"requirements.txt": "--require-hashes\n" + locked.replace(HASH, "")}
    )
    assert "asks for django without a hash" in refusal(
        tmp_path, {"requirements.txt": "django"}, pip_options=["--require-hashes"]
    )


PIP_TOOLS = """\
#
# This file is autogenerated by pip-compile with Python 3.14
# by the following command:
#
#    pip-compile --extra=prod --generate-hashes --output-file=requirements.txt
#
--index-url https://index.example/simple
--trusted-host index.example

django==5.2.8 \\
    --hash=sha256:{0} \\
    --hash=sha256:{0}
    # via
    #   -r requirements.in
    #   my-shop (pyproject.toml)
tzdata==2026.1 ; sys_platform == "win32" \\
    --hash=sha256:{0}
    # via django
uvicorn[standard]==0.40.0 \\
    --hash=sha256:{0}
    # via -r requirements.in
uvloop==0.22.1 ; sys_platform != "win32" \\
    --hash=sha256:{0}
whitenoise==6.5.0 --hash=sha256:{0}

# The following packages are considered to be unsafe in a requirements file:
# setuptools
"""


def test_what_pip_tools_writes(tmp_path: Path) -> None:
    found = read(tmp_path, {"requirements.txt": PIP_TOOLS.format("3" * 64).replace("\n", "\r\n")})
    assert found.asked == ("django==5.2.8", "tzdata==2026.1", "uvicorn[standard]==0.40.0", "whitenoise==6.5.0")
    assert found.hashes == {name: {"sha256:" + "3" * 64} for name in ("django", "tzdata", "uvicorn", "whitenoise")}
    assert found.options == ("--index-url", "https://index.example/simple", "--trusted-host", "index.example")
    assert found.with_hashes


def test_a_server_package_that_is_too_old(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, {"requirements.txt": "django\nuvicorn==0.20\n"})
    assert sentence.endswith(": uvicorn 0.20 is too old for this deploy, which needs uvicorn>=0.36.")
    files: dict[str, str | bytes] = {"requirements.txt": "django\n-c limits.txt\n", "limits.txt": "uvicorn==0.20\n"}
    assert refusal(tmp_path, files) == sentence


PYPROJECT = """\
[project]
name = "My.Shop"
version = "1"
requires-python = ">=3.10"
dependencies = ["Django>=5.1", "colorama; sys_platform == 'win32'", "uvloop; sys_platform != 'win32'"]
[project.optional-dependencies]
prod = ["psycopg[binary]>=3", "my-shop[cache]"]
cache = ["redis"]
[dependency-groups]
web = ["waitress>=3", {include-group = "Common"}]
common = ["idna"]
loop = [{include-group = "loop"}]
"""


def test_pyproject(tmp_path: Path) -> None:
    found = read(tmp_path, {"pyproject.toml": PYPROJECT}, extras="Prod", dependency_groups=["web"])
    assert list(found.packages) == [
        "colorama",
        "django",
        "idna",
        "psycopg",
        "redis",
        "uvicorn",
        "waitress",
        "whitenoise",
    ]
    assert found.arguments == (
        *("Django>=5.1", "colorama; sys_platform == 'win32'", "uvloop; sys_platform != 'win32'"),
        *("psycopg[binary]>=3", "redis", "waitress>=3", "idna", "uvicorn>=0.36", "whitenoise>=6"),
    )
    assert found.key != read(tmp_path, {"pyproject.toml": PYPROJECT}).key
    # What it says besides does not matter.
    assert (
        read(tmp_path, {"pyproject.toml": PYPROJECT + "[tool.ruff]\n"}).key
        == read(tmp_path, {"pyproject.toml": PYPROJECT}).key
    )


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        (PYPROJECT, {"extras": "dev"}, "pyproject.toml of PROJECT has no extra dev; it has prod, cache."),
        (
            PYPROJECT,
            {"dependency_groups": "dev"},
            "pyproject.toml of PROJECT has no dependency group dev; it has web, common, loop.",
        ),
        (
            PYPROJECT,
            {"dependency_groups": "loop"},
            "The dependency group loop in pyproject.toml of PROJECT includes itself.",
        ),
        (
            PYPROJECT.replace(">=3.10", ">=3.12"),
            {"python": OLD_PYTHON},
            "pyproject.toml of PROJECT wants Python >=3.12, the servers get 3.11.9; set another python.",
        ),
        (
            "[project]\nname='x'\ndynamic=['dependencies']\n",
            {},
            "pyproject.toml of PROJECT leaves its dependencies to its build;",
        ),
        ("[project]\nname='x'\ndependencies=[1]\n", {}, "pyproject.toml: dependencies are a list of texts such as"),
        ("[project\n", {}, "pyproject.toml of PROJECT is no TOML:"),
        (
            "[tool.poetry.dependencies]\ndjango='^5'\n",
            {},
            "pyproject.toml of PROJECT is not read, only Poetry knows it;",
        ),
        (
            PYPROJECT + "[tool.uv.sources]\nDjango = {git = 'https://host.example/django'}\n",
            {},
            "The requirements of PROJECT cannot be installed on the servers: pyproject.toml, 'Django>=5.1', comes from [tool.uv.sources];",
        ),
    ],
)
def test_what_pyproject_cannot_say(tmp_path: Path, text: str, values: dict[str, Any], said: str) -> None:
    assert refusal(tmp_path, {"pyproject.toml": text}, **values).startswith(said)


@pytest.mark.parametrize("name", ["poetry.lock", "pdm.lock"])
def test_a_lock_beside_a_pyproject_that_pip_can_read(tmp_path: Path, name: str) -> None:
    folder = projects.make(tmp_path, **{"pyproject.toml": PYPROJECT, name: ""})
    (folder / "requirements.txt").unlink()
    project = DjangoProject(build({"project": folder}, DjangoSettings))
    assert requirements.read(project).packages["django"] == ">=5.1"
    assert project.warnings[0].startswith(
        f"{name} of {folder} is not read, so the servers get the newest that pyproject.toml allows; to have what it says, make a requirements.txt of it: "
    )


def test_a_lock_that_was_made_for_another_system(tmp_path: Path) -> None:
    folder = projects.make(tmp_path, **{"requirements.txt": ""})

    def warnings(lines: str) -> list[str]:
        (folder / "requirements.txt").write_text(f"uvicorn==0.40 {HASH}\nwhitenoise==6.5 {HASH}\n{lines}")
        project = DjangoProject(build({"project": folder}, DjangoSettings))
        requirements.read(project)
        return project.warnings

    found = warnings(f"django==5.2 {HASH}\nclick==8.1 {HASH}\n")
    assert found == [
        f"The lock of {folder} has {name}, but not {needed}, which that needs on Windows: it was made for another system; lock for Windows."
        for name, needed in (("django", "tzdata"), ("click", "colorama"))
    ]
    assert warnings(f"django==5.2 {HASH}\ntzdata==2026.1 {HASH}\nclick==7.1 {HASH}\n") == []


@pytest.mark.parametrize("name", ["poetry.lock", "Pipfile.lock", "pdm.lock"])
def test_locks_that_pip_cannot_read(tmp_path: Path, name: str) -> None:
    sentence = refusal(tmp_path, {name: "", "pyproject.toml": "[tool.x]\n"})
    assert sentence.startswith(f"{name} of PROJECT is not read; make a requirements.txt of it: ")


def test_files_that_may_be_meant_are_named(tmp_path: Path) -> None:
    folder = projects.make(
        tmp_path, settings="# using Django 5.2\n", **{"requirements/prod.txt": "x", "requirements-dev.txt": "y"}
    )
    (folder / "requirements.txt").unlink()
    project = DjangoProject(build({"project": folder}, DjangoSettings))
    assert requirements.read(project).arguments[0] == "Django~=5.2.0"
    assert project.warnings == [
        f"requirements-dev.txt, requirements/prod.txt of {folder} is not read; set requirements to what the site needs."
    ]


UV_LOCK = """\
version = 1
requires-python = ">=3.99"
[[package]]
name = "my-shop"
version = "1"
source = { virtual = "." }
dependencies = [{ name = "django" }, { name = "uvicorn" }, { name = "uvloop", marker = "sys_platform != 'win32'" }]
[package.optional-dependencies]
prod = [{ name = "whitenoise" }]
"""


def uv_lock(requires: str = ">=3.10") -> dict[str, str | bytes]:
    packages = "".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ registry = "https://index.example/simple" }}\n'
        f'wheels = [{{ url = "https://index.example/{name}-{version}-py3-none-any.whl", hash = "sha256:{"1" * 64}", size = 1 }}]\n'
        for name, version in (("django", "5.2.8"), ("uvicorn", "0.40.0"), ("uvloop", "0.22.1"), ("whitenoise", "6.5.0"))
    )
    project = f'[project]\nname = "my-shop"\nversion = "1"\nrequires-python = "{requires}"\ndependencies = ["django", "uvicorn"]\n'
    return {
        "uv.lock": UV_LOCK.replace(">=3.99", requires) + packages,
        "pyproject.toml": project + "[project.optional-dependencies]\nprod = ['whitenoise']\n",
    }


def test_a_lock_of_uv(tmp_path: Path) -> None:
    found = read(tmp_path, uv_lock(), extras="prod")
    assert found.arguments == ("-r", "pyinfra_iis_requirements.txt")
    assert found.packages == {"django": "==5.2.8", "uvicorn": "==0.40.0", "whitenoise": "==6.5.0"}
    assert found.with_hashes
    assert "must be among them" in refusal(tmp_path, uv_lock())
    made = release.make(build({"project": tmp_path / "project", "extras": ["prod"]}, DjangoSettings))
    rendered = made.files["pyinfra_iis_requirements.txt"].read().decode()
    assert "django==5.2.8 \\\n    --hash=sha256:" + "1" * 64 in rendered


def test_a_lock_of_uv_for_another_python(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path, uv_lock(">=3.12"), python=OLD_PYTHON)
        == "uv.lock of PROJECT wants Python >=3.12, the servers get 3.11.9; set another python."
    )
    # This machine's own Python does not matter.
    assert read(tmp_path, uv_lock(">=3.14"), extras="prod").packages["django"] == "==5.2.8"


def test_a_lock_of_uv_without_uv_or_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(tmp_path, uv_lock(), extras="none") == "pyproject.toml of PROJECT has no extra none; it has prod."
    broken = {**uv_lock(), "uv.lock": "version = 1\n[[package]]\n"}
    assert refusal(tmp_path, broken, extras="prod").startswith("uv cannot read uv.lock of PROJECT: ")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert refusal(tmp_path, uv_lock(), extras="prod") == (
        "uv.lock is read with uv; install pyinfra-iis[offline], or make a requirements.txt of it: "
        "uv export --frozen --no-dev --no-emit-project --extra prod --output-file requirements.txt."
    )


def test_pylock(tmp_path: Path) -> None:
    lock = 'lock-version = "1.0"\ncreated-by = "x"\n' + "".join(
        f'[[packages]]\nname = "{name}"\nversion = "9.0"\n{marker}wheels = [{{url = "https://index.example/x.whl", hashes = {{sha256 = "{"2" * 64}"}}}}]\n'
        for name, marker in (
            ("django", ""),
            ("uvicorn", ""),
            ("whitenoise", ""),
            ("uvloop", "marker = \"sys_platform != 'win32'\"\n"),
        )
    )
    found = read(tmp_path, {"pylock.toml": lock})
    assert found.packages == {"django": "==9.0", "uvicorn": "==9.0", "whitenoise": "==9.0"}
    assert found.rendered.splitlines()[0] == "django==9.0 --hash=sha256:" + "2" * 64
    vcs = lock + '[[packages]]\nname = "x"\nvcs = {type = "git", url = "https://host.example/x"}\n'
    assert "pylock.toml, package x, lies in a place of its own" in refusal(tmp_path, {"pylock.toml": vcs})


@pytest.mark.parametrize(
    ("asked", "python", "said"),
    [
        (
            "Django==6.0.1",
            OLD_PYTHON,
            "asks for Django==6.0.1, which needs Python 3.12 or later, and the servers get 3.11.9;",
        ),
        ("Django~=6.0.0", OLD_PYTHON, "asks for Django~=6.0.0, which"),
        ("Django>=6", OLD_PYTHON, "asks for Django>=6, which"),
        ("django==5.1.4", {**OLD_PYTHON, "version": "3.9.13"}, "needs Python 3.10 or later"),
    ],
)
def test_a_django_that_is_too_new(tmp_path: Path, asked: str, python: dict[str, str], said: str) -> None:
    assert said in refusal(tmp_path, {"requirements.txt": asked}, python=python)


@pytest.mark.parametrize(
    "asked",
    ["Django", "Django>=5", "Django>=5.2,<7", "Django==5.2.*", "Django==7.0", "Django==6.0; python_version >= '3.12'"],
)
def test_a_django_that_may_fit(tmp_path: Path, asked: str) -> None:
    read(tmp_path, {"requirements.txt": asked}, python=OLD_PYTHON)


def test_a_django_that_made_the_project_may_be_too_new(tmp_path: Path) -> None:
    folder = projects.make(tmp_path, settings="# Generated by 'django-admin startproject' using Django 6.0.\n")
    (folder / "requirements.txt").unlink()
    with pytest.raises(
        ProjectError, match=r"Django~=6\.0\.0, which needs Python 3\.12 or later, and the servers get 3\.11\.9"
    ):
        release.make(build({"project": folder, "python": OLD_PYTHON}, DjangoSettings))


def test_a_python_that_is_newer_than_django_knows(tmp_path: Path) -> None:
    folder = projects.make(tmp_path, **{"requirements.txt": "Django~=4.2.0"})
    project = DjangoProject(build({"project": folder}, DjangoSettings))
    requirements.read(project)
    assert "Django 4.2 is made for Python up to 3.12, and the servers get 3.14" in project.warnings[0]


def test_an_application_that_is_no_django_one(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("")
    found = requirements.read(Project(build({"project": tmp_path, "application": "main:app"}, WebSettings)))
    assert found.arguments == ("uvicorn>=0.36",)


def test_credentials_of_an_index_make_no_other_environment(tmp_path: Path) -> None:
    def key(user: str) -> str:
        return read(
            tmp_path,
            {"requirements.txt": "django"},
            pip_options=["--index-url", f"https://{user}@index.example/simple"],
        ).key

    assert key("me:one") == key("you:two")


LINES = st.sampled_from(
    [
        "django==5.2",
        "Idna >= 3 # why",
        "# nothing",
        "",
        "x ; sys_platform == 'linux'",
        "y[a,b]~=1.0;os_name=='nt'",
        "z===1.0",
        "--pre",
        "w==1 \\",
        "  # c \\",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=6))
def test_lines_are_read_as_pip_reads_them(lines: list[str]) -> None:
    """Against pip's own parser."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "r.txt")
        path.write_text("\n".join(lines) + "\n")
        assert [line for _, line in requirement_files.logical_lines(path.read_text())] == _pip_lines(path)


def _pip_lines(path: Path) -> list[str]:
    from pip._internal.req import req_file

    return [line for _, line in req_file.preprocess(path.read_text())]


def test_pip_refuses_what_is_refused_here(tmp_path: Path) -> None:
    """What `a lock with hashes` says about pip is so."""
    for name in ("idna", "uvicorn"):
        wheel(tmp_path / "index", name, "py3-none-any")
    (tmp_path / "r.txt").write_text(f"idna==1.0 {HASH}\n")
    command = [
        sys.executable,
        "-m",
        "pip",
        "--isolated",
        "install",
        "--no-index",
        "--find-links",
        str(tmp_path / "index"),
    ]
    run = subprocess.run(
        [*command, "--dry-run", "--ignore-installed", "-r", str(tmp_path / "r.txt"), "uvicorn"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "In --require-hashes mode, all requirements must have" in run.stderr


@pytest.mark.parametrize(
    ("asked", "values", "added"),
    [
        ("channels[daphne]", {}, True),
        ("channels\nwebsockets==15.0", {}, False),
        ("channels\nwsproto", {}, False),
        ("channels\nuvicorn[standard]", {}, False),
        ("channels", {"server": "hypercorn"}, False),
        ("channels", {"application": "shop.wsgi:application", "interface": "wsgi"}, False),
        ("", {}, False),
    ],
)
def test_a_project_that_speaks_websocket_gets_what_uvicorn_needs_for_it(
    tmp_path: Path, asked: str, values: dict[str, Any], added: bool
) -> None:
    found = read(tmp_path, {"requirements.txt": f"Django\n{asked}\n"}, **values)
    assert ("websockets>=13" in found.texts) is added


def test_workers_are_not_promised(tmp_path: Path) -> None:
    folder = projects.make(tmp_path / "project", **{"requirements.txt": "Django\ncelery[redis]>=5\n"})
    project = DjangoProject(build({"project": folder}, DjangoSettings))
    requirements.read(project)
    assert [text for text in project.warnings if "celery" in text and "no workers" in text]


def test_files_above_the_project_come_along_by_what_they_say(tmp_path: Path) -> None:
    """As projects have them whose manage.py lies in a folder src."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/base.txt").write_text("Django==5.2.1  # pinned\n")
    (tmp_path / "requirements/prod.txt").write_text("-r base.txt\nwhitenoise==6.9.0\nidna; os_name == 'posix'\n")
    found = read(tmp_path, {}, requirements="../requirements/prod.txt")
    assert found.arguments == ("-r", "pyinfra_iis_requirements.txt", "uvicorn>=0.36")
    assert found.rendered == "Django==5.2.1\nwhitenoise==6.9.0\nidna; os_name == 'posix'\n"
    assert found.packages == {"django": "==5.2.1", "uvicorn": ">=0.36", "whitenoise": "==6.9.0"}
    (tmp_path / "requirements/base.txt").write_text("Django==5.2.2\n")
    assert read(tmp_path, {}, requirements="../requirements/prod.txt").key != found.key


def test_a_pyproject_above_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\ndependencies = ["Django~=5.2.0"]\n'
    )
    assert read(tmp_path, {}, requirements="../pyproject.toml").packages["django"] == "~=5.2.0"


def test_what_a_file_above_cannot_say(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("Django\n-c limits.txt\n-e .\n")
    text = refusal(tmp_path, {}, requirements="../requirements.txt")
    assert "../requirements.txt, line 2 limits or includes what does not come along" in text
    assert "installs for development" in text
    assert "../nowhere.txt is not in PROJECT" in refusal(tmp_path, {}, requirements="../nowhere.txt")


def test_files_that_are_there_are_named_where_none_is_taken(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("Django\n")
    text = refusal(tmp_path, {"requirements/production.txt": "Django\n"})
    assert text.endswith(
        "set django_requirements to one that is there: requirements/production.txt, ../requirements.txt."
    )
