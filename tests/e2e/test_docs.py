"""What the documentation tells a reader to do, done word for word on a lab of its own."""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import winrm

from tests import docs
from tests.labkit import BIN, ROOT

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("docs"),
    pytest.mark.timeout(600),
    pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="a reader has bash and curl"),
]

PAGES = ["tutorial.md"]
"""Pages whose reader is in a checkout with a lab, and does one thing after the other."""


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """A reader's checkout, set up already, and the environment of his shell."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for entry in (
        "pyinfra_iis",
        "winlab",
        "deploys",
        "inventories",
        "templates",
        "examples",
        "pyproject.toml",
        "Makefile",
        ".venv",
    ):
        if (ROOT / entry).exists():
            (folder / entry).symlink_to(ROOT / entry)
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "COLUMNS": "200",
        "PYINFRA_PROGRESS": "off",
        "WINLAB_STATE": str(tmp_path / "lab"),
        "WINLAB_NETWORK": f"127.{random.randint(20, 29)}.{random.randint(1, 250)}",
    }
    yield folder, environment
    subprocess.run([str(BIN / "winlab"), "down"], env=environment, capture_output=True, check=False)


@pytest.mark.parametrize("page", PAGES)
def test_a_reader_gets_what_the_page_promises(checkout: tuple[Path, dict[str, str]], page: str) -> None:
    folder, environment = checkout
    replacements = {
        "127.0.1.": environment["WINLAB_NETWORK"] + ".",
        "inventories/prod.py": "inventories/lab.py",
        "make setup": "test -x .venv/bin/python || test -n '" + str(BIN) + "'",
        ". .venv/bin/activate": "true",
    }
    done = docs.run(ROOT / "docs" / page, folder, environment, replacements)
    assert len(done) >= 10


REFERENCE = (
    ("docs/failures/index.md", "sh"),
    ("docs/failures/index.md", "console"),
    ("docs/operations.md", "sh"),
    ("README.md", "sh"),  # the last one, because `make demo` begins with a bare server
)
SET_UP = "make -o .venv/.ready "
"""With what `make setup` has made as it is, since others use it, too."""
OTHERS_HAVE = {"--data site=Shop": "--data site=shop", "hostname=www.example.com": "hostname=localhost"}


def test_the_commands_of_reference_pages_work(checkout: tuple[Path, dict[str, str]]) -> None:
    folder, environment = checkout
    django = "pyinfra inventories/lab.py deploys/django_iis.py -y --data django_app=shop"
    code, text = docs.do(django, folder, environment)
    assert code == 0, text
    lines = [line for page, kind in REFERENCE for line in docs.to_run(page, kind)]
    assert len(lines) >= 8
    for line in dict.fromkeys(lines):
        if not line.startswith("pyinfra"):  # make demo
            code, text = docs.do(line.replace("make ", SET_UP), folder, environment)
            assert code == 0, f"{line}\n{text}"
            continue
        command, *silent = line.split(" 2>")
        here = command.replace("inventories/prod.py", "inventories/lab.py") + " --data django_app=shop -y"
        for theirs, ours in OTHERS_HAVE.items():
            here = here.replace(theirs, ours)
        code, text = docs.do(" 2>".join([here, *silent]), folder, environment)
        assert code == 0, f"{here}\n{text}"


def test_the_inventory_and_the_deploy_of_the_readme_are_enough(checkout: tuple[Path, dict[str, str]]) -> None:
    folder, environment = checkout
    run = subprocess.run(["winlab", "up", "--json"], env=environment, capture_output=True, text=True, check=True)
    lab = json.loads(run.stdout)
    theirs = {
        '"@winrm/web1.example.com", "@winrm/web2.example.com"': f'"@winrm/{lab["hosts"][0]["address"]}"',
        r'r"EXAMPLE\deploy"': f'"{lab["user"]}"',
        '"winrm_https": True': '"winrm_https": False',
        '"../mysite"': '"examples/mysite"',
    }
    inventory, deploy = (text for kind, text in docs.blocks(ROOT / "README.md") if kind == "python")
    for old, new in theirs.items():
        assert old in inventory
        inventory = inventory.replace(old, new)
    (folder / "mine.py").write_text(inventory, encoding="utf-8")
    (folder / "deploy.py").write_text(deploy, encoding="utf-8")
    environment = {**environment, "WINRM_PASSWORD": lab["password"]}
    code, text = docs.do("pyinfra mine.py deploy.py --dry --diff", folder, environment)
    assert code == 0 and "site mysite binding: http *:80:www.example.com" in text, text


TYPED = "$(ConvertTo-SecureString '{password}' -AsPlainText -Force)"


def test_a_server_is_prepared_and_reached_as_the_pages_say(checkout: tuple[Path, dict[str, str]]) -> None:
    """docs/servers.md on the server, with its account docs/connector.md from here, over HTTPS."""
    folder, environment = checkout
    up = ["winlab", "up", "--hosts", "1", "https=on", "--json"]
    run = subprocess.run(up, env=environment, capture_output=True, text=True, check=True)
    lab = json.loads(run.stdout)
    address = lab["hosts"][0]["address"]
    password = f"Aa1!{secrets.token_urlsafe(12)}"
    typed = TYPED.format(password=password)
    administrator = winrm.Session(address, auth=(lab["user"], lab["password"]), transport="ntlm")
    script = "\n".join(docs.to_run("docs/servers.md", "powershell")).replace("(Read-Host -AsSecureString)", typed)
    assert typed in script
    result = administrator.run_ps("$ErrorActionPreference = 'Stop'\n" + script)
    assert result.status_code == 0, result.std_err.decode()
    for line in docs.commands(ROOT / "docs/servers.md", "powershell"):
        if line in docs.NOT_RUN:
            result = administrator.run_ps(line)
            assert result.status_code and b"The lab does not support" in result.std_out + result.std_err, line

    authority = Path(environment["WINLAB_STATE"]) / "hosts" / lab["hosts"][0]["name"] / "winrm-https.pem"
    theirs = {
        '["@winrm/web1.example.com", "@winrm/web2.example.com"]': f'["@winrm/{address}"]',
        '"EXAMPLE\\\\deploy"': '"deploy"',
        '"winrm_https": True': f'"winrm_https": True, "winrm_ca_file": "{authority}"',
    }
    page = ROOT / "docs" / "connector.md"
    for step in docs.steps(page):
        if isinstance(step, docs.File):
            text = step.text
            if step.path == "inventory.py":
                assert all(old in text for old in theirs)
            for old, new in theirs.items():
                text = text.replace(old, new)
            (folder / step.path).write_text(text, encoding="utf-8")
    lines = docs.to_run("docs/connector.md", "sh")
    assert "export WINRM_PASSWORD=..." in lines
    script = "\n".join(["set -e", *lines]).replace("WINRM_PASSWORD=...", f"WINRM_PASSWORD='{password}'")
    code, text = docs.do(script.replace(" -- ", " -y -- "), folder, environment)
    assert code == 0, text
    assert "Tell the time" in text and password not in text


IIS = """
Install-WindowsFeature Web-Static-Content, Web-Scripting-Tools | Out-Null
$appcmd = "$env:windir\\system32\\inetsrv\\appcmd.exe"
New-Item -ItemType Directory C:\\inetpub\\shop\\shared\\data, C:\\Python\\3.12.1 | Out-Null
'maintenance.json', 'draining' | ForEach-Object { Set-Content -LiteralPath C:\\inetpub\\shop\\shared\\$_ -Value x }
Set-Content -LiteralPath C:\\inetpub\\shop\\app_offline.htm -Value x
& $appcmd add apppool /name:shop /managedRuntimeVersion: | Out-Null
& $appcmd add site /name:shop /bindings:http/*:8014: /physicalPath:C:\\inetpub\\shop | Out-Null
& $appcmd set app shop/ /applicationPool:shop | Out-Null
"""
BEFORE = {
    "start apppool": r"%windir%\system32\inetsrv\appcmd stop apppool shop",
    "start site": r"%windir%\system32\inetsrv\appcmd stop site shop",
    "stop site": '%windir%\\system32\\inetsrv\\appcmd start site "Default Web Site"',
    "add apppool": "%windir%\\system32\\inetsrv\\appcmd delete apppool shop",
    "net start": "net stop W3SVC",
    "recycle": "%windir%\\system32\\inetsrv\\appcmd start apppool shop",
}
"""What makes a page's command one that has something to do; whether it succeeds does not matter."""


def test_the_commands_of_failure_pages_are_ones_of_a_server(checkout: tuple[Path, dict[str, str]]) -> None:
    """docs/failures/*.md: looks and fixes, on a server with IIS and a site. That the fixes mend is shown by test_diagnose.py."""
    _, environment = checkout
    run = subprocess.run(["winlab", "up", "--json"], env=environment, capture_output=True, text=True, check=True)
    lab = json.loads(run.stdout)
    session = winrm.Session(lab["hosts"][0]["address"], auth=(lab["user"], lab["password"]), transport="ntlm")
    result = session.run_ps("$ErrorActionPreference = 'Stop'\n" + IIS)
    assert result.status_code == 0, result.std_err.decode()
    pages = sorted((ROOT / "docs" / "failures").glob("*.md"))
    found = dict.fromkeys(line for page in pages for line in docs.to_run(docs.name(page), "bat"))
    assert len(found) > 40
    wrong = []
    for line in found:
        for part, command in BEFORE.items():
            if part in line:
                session.run_cmd(command)
        result = session.run_cmd(line)
        if result.status_code:
            wrong.append((line, result.status_code, (result.std_out + result.std_err).decode()))
    assert wrong == []


def test_the_lab_is_used_as_its_page_says(checkout: tuple[Path, dict[str, str]]) -> None:
    folder, environment = checkout
    for line in docs.to_run("docs/lab.md", "sh"):
        code, text = docs.do(line, folder, environment)
        assert code == 0, f"{line}\n{text}"


def test_contributors_commands_work() -> None:
    """Nothing but with DOCS_COMMANDS=full."""
    for line in docs.to_run("docs/contributing.md", "sh"):
        code, text = docs.do(
            line.replace("make ", SET_UP), ROOT, {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        )
        assert code == 0, f"{line}\n{text}"
