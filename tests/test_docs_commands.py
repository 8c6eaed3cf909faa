"""No command of the documentation stands there without being run: those of code blocks by a test, those within sentences name what is there."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from pyinfra_iis.settings import DjangoSettings, from_data
from tests import docs
from tests.docs import ROOT


def test_a_block_with_commands_says_of_which_kind_they_are() -> None:
    hidden = [
        f"{docs.name(page)}: {line}"
        for page in docs.PAGES
        for kind, text in docs.blocks(page)
        if kind not in docs.KINDS and kind in ("", "text", "bash", "shell", "cmd", "ps1")
        for line in text.splitlines()
        if line.split(" ")[0] in docs.PROGRAMS or line.startswith("$ ")
    ]
    assert hidden == []


def test_every_command_of_a_block_is_run_by_a_test_or_listed_with_a_reason() -> None:
    told = {(docs.name(page), kind) for page in docs.PAGES for kind in docs.KINDS if docs.commands(page, kind)}
    runs = [
        (page, kind, name) for page, kind in docs.RUN_BY for name, its in told if its == kind and fnmatch(name, page)
    ]
    assert {(name, kind) for _, kind, name in runs} == told
    assert {(page, kind) for page, kind, _ in runs} == set(docs.RUN_BY)
    for (page, _), test in docs.RUN_BY.items():
        text = (ROOT / test).read_text(encoding="utf-8")
        assert page in text or f'"{Path(page).name}"' in text, f"{test} does not name {page}"
    everywhere = {line for page in docs.PAGES for kind in docs.KINDS for line in docs.commands(page, kind)}
    assert {*docs.NOT_RUN, *docs.LONG} - everywhere == set()


def inline() -> set[str]:
    """Commands within sentences and tables, as far as they run on the reader's machine."""
    found = (code for page in docs.PAGES for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", page.read_text("utf-8")))
    return {code for code in found if re.match(r"(?:\w+=\S+ )*(?:make|winlab|python -m|pyinfra|winrm-doctor) \S", code)}


@pytest.mark.parametrize("command", sorted(inline()))
def test_a_command_within_a_sentence_names_what_is_there(command: str) -> None:
    words = re.sub(r"^(?:\w+=\S+ )+", "", command).split()
    program, first = words[0], words[1]
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert first in targets or "=" in first
    elif program == "python":
        assert importlib.util.find_spec(words[2]), words[2]
    elif program == "pyinfra":
        for word in words:
            if re.fullmatch(r"(?:deploys|inventories)/\w+\.py", word):
                assert (ROOT / word).is_file(), word
    elif program == "winlab" and re.match(r"[a-z]", first):
        assert first in _help("winlab")
        assert all(word in _help("winlab", first) for word in re.findall(r"(?<!\S)--[\w-]+", command))


def _help(*words: str) -> str:
    script = Path(sys.executable).with_name(words[0])
    return subprocess.run([str(script), *words[1:], "--help"], capture_output=True, text=True, check=True).stdout


def test_configuration_that_pages_show_is_accepted(tmp_path: Path) -> None:
    """Blocks of host data: `"django_...": ...` lines, as an inventory has them."""
    project = tmp_path / "mysite"
    (project / "mysite").mkdir(parents=True)
    (project / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")\n')
    (project / "mysite" / "settings.py").write_text("")
    shown = [
        (docs.name(page), text)
        for page in docs.PAGES
        for kind, text in docs.blocks(page)
        if kind == "python" and text.startswith('"django_')
    ]
    assert len(shown) >= 3
    for page, text in shown:
        data = {"django_project": str(project), **eval(f"{{{text}}}")}  # noqa: S307
        data["django_project"] = str(project)
        for key in ("django_python", "django_handler"):
            if data.get(key, {}).get("url"):
                (tmp_path / Path(data[key]["url"]).name).write_bytes(b"")
                data[key]["url"] = str(tmp_path / Path(data[key]["url"]).name)
        assert from_data(data, DjangoSettings), page
