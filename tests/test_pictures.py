"""The documentation's pictures of terminals: each is of a command that `docs/pictures.py` runs, which a page tells its readers too."""

from __future__ import annotations

import html
import re

import pytest

pytest.importorskip("pyte", reason="the pictures are made with the extra 'docs'")

from rich.text import Text

from docs.pictures import FOLDER, PICTURES, Picture, shown
from tests import docs
from tests.test_site import DOCS, ROOT

PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
_IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
MOST = 600_000


def printed(name: str) -> list[str]:
    """The lines of a picture."""
    text = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    rows: dict[float, list[tuple[float, str]]] = {}
    for x, y, part in re.findall(r'<text class="[\w-]+-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', text):
        rows.setdefault(float(y), []).append((float(x), html.unescape(part)))
    return ["".join(part for _, part in sorted(rows[y])).replace("\xa0", " ").rstrip() for y in sorted(rows)]


def test_every_picture_is_made_and_shown() -> None:
    here = {path.stem for path in FOLDER.glob("*.svg")}
    assert here == {picture.name for picture in PICTURES}
    used = {
        (page.parent / image).resolve() for page in PAGES for image in _IMAGE.findall(page.read_text(encoding="utf-8"))
    }
    assert used == {(FOLDER / f"{name}.svg").resolve() for name in here}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_shows_the_command_that_was_run_and_nothing_of_the_machine(picture: Picture) -> None:
    lines = printed(picture.name)
    text = "\n".join(lines)
    command = "".join(f"$ {picture.command}".split())
    assert command in "".join(text.split())
    assert not re.search(r"(?<![\w:])/(?:tmp|home|root|work|usr|opt|var|srv)/", text)
    assert "simple" not in text and "password" not in text.lower()
    for first, last in picture.parts:
        assert any(first in line for line in lines) and any(last in line for line in lines)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_command_of_a_picture_is_one_that_a_page_tells(picture: Picture) -> None:
    told = [step.line for page in PAGES for step in docs.steps(page) if isinstance(step, docs.Command)]
    assert picture.command in told


def test_parts_of_an_output() -> None:
    lines = [Text(line) for line in ("one", "", "two", "three", "four", "five")]
    picture = Picture("name", "title", "command", parts=(("one", "one"), ("three", "four")))
    assert [line.plain.strip() for line in shown(picture, lines)] == [
        "one",
        "... 1 more lines",
        "three",
        "four",
        "... 1 more lines",
    ]
    assert len(shown(Picture("name", "title", "command"), lines)) == 5
    with pytest.raises(RuntimeError, match="did not print 'six'"):
        shown(Picture("name", "title", "command", parts=(("six", "six"),)), lines)
