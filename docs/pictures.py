"""Pictures of terminals, from real runs on the lab: python -m docs.pictures (or `make pictures`); writes docs/pictures/*.svg.

Each picture is what a command printed on a terminal, with its colours, nothing else; long ones are cut, and say so. The commands are those of the pages that
show the pictures, run in the order below by a reader who follows the tutorial, on simulated servers of a lab of its own.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "pictures"
WIDTH = 118
DJANGO = "pyinfra inventories/lab.py deploys/django_iis.py --data django_project=shop"
CANARY = "--data 'django_rollout={\"canary\": 1}'"

URLS = """\
from django.contrib import admin
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse("{word}")), path("admin/", admin.site.urls)]
"""
BROKEN = "import no_such_module\n"
# Three servers under the names of an inventory for real ones, which operating.md has.
PROD = """\
import json, os, subprocess, sys
lab = json.loads(subprocess.run([sys.executable, "-m", "winlab", "status", "--json"], capture_output=True).stdout)
os.environ["WINRM_PASSWORD"] = lab["password"]
web = (
    [(f"@winrm/web{n}.example.com", {"winrm_hostname": host["address"]}) for n, host in enumerate(lab["hosts"], 1)],
    {"winrm_user": lab["user"], "django_project": "../shop", "django_bindings": ["*:8014:"], "django_secure_cookies": False},
)
"""
LOCK = r"& $env:windir\system32\inetsrv\appcmd.exe lock config -section:system.webServer/handlers"

# Without the web font that rich's own format fetches.
FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<style>.{unique_id}-matrix {{ font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        name: of its file, without the ending.
        title: of the window.
        command: what is run, as the page has it.
        head: how many lines are shown from the beginning.
        tail: and how many from the end.
        before: what happens first, and is not shown: shell commands, run in the same folder.
    """

    name: str
    title: str
    command: str
    head: int = 60
    tail: int = 0
    before: tuple[str, ...] = ()


def write(path: str, text: str) -> str:
    """The shell command that writes a file."""
    return f"mkdir -p {Path(path).parent} && cat > {path} <<'END'\n{text}END\n"


PICTURES: tuple[Picture, ...] = (
    Picture(
        "dry-run",
        "What would change on a bare server",
        f"{DJANGO} --dry --diff",
        head=47,
        before=("django-admin startproject shop",),
    ),
    Picture("deploy", "A bare server becomes a served site", f"{DJANGO} -y"),
    Picture("second-run", "The second run changes nothing", f"{DJANGO} -y", head=9, tail=14),
    Picture(
        "change",
        "One edited file",
        f"{DJANGO} --dry --diff",
        before=(write("shop/shop/urls.py", URLS.format(word="Hello")),),
    ),
    Picture(
        "broken",
        "A release that cannot start",
        f'{DJANGO} -y; echo "exit code $?"',
        before=(f"{DJANGO} -y", write("shop/shop/urls.py", BROKEN)),
    ),
    Picture(
        "rollout",
        "Three servers, one of them first",
        f"WINLAB_HOSTS=3 {DJANGO} {CANARY} -y",
        before=(write("shop/shop/urls.py", URLS.format(word="Hello again")),),
    ),
    Picture(
        "status",
        "Which release runs where, and how",
        "pyinfra inventories/prod.py deploys/status.py --dry -y 2>/dev/null",
        before=(
            write("inventories/prod.py", PROD),
            f"pyinfra inventories/prod.py exec --limit @winrm/web3.example.com -y -- '{LOCK}'",
        ),
    ),
    Picture(
        "diagnose",
        "Why does it not work?",
        "pyinfra inventories/prod.py deploys/diagnose.py --limit @winrm/web3.example.com --dry -y 2>/dev/null || true",
    ),
)


class Terminal:
    """Runs commands of a shell on a terminal, in a folder."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def run(self, command: str) -> list[Text]:
        """What a terminal shows when a command has ended.

        Raises:
            RuntimeError: the command has failed.
        """
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, WIDTH, 0, 0))
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        # Higher than anything that is printed, so that nothing scrolls away; lines that are too long are cut at the edge.
        screen = pyte.Screen(WIDTH, 4000)
        screen.reset_mode(pyte.modes.DECAWM)
        stream = pyte.ByteStream(screen)
        for part in _parts(ours):
            stream.feed(part)
        lines = [_line(screen, row) for row in range(screen.cursor.y + 1)]
        if process.wait():
            raise RuntimeError(f"{command} failed:\n" + "\n".join(line.plain for line in lines))
        return lines


def _parts(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            part = b""
        if not part:
            os.close(terminal)
            return
        yield part


def _line(screen: pyte.Screen, row: int) -> Text:
    """A line of a terminal, with its colours."""
    line = Text(no_wrap=True)
    for column in range(WIDTH):
        cell = screen.buffer[row][column]
        line.append(cell.data, _style(cell))
    line.rstrip()
    return line


def _style(cell: pyte.screens.Char) -> Style:
    return Style(color=_colour(cell.fg), bgcolor=_colour(cell.bg), bold=cell.bold, italic=cell.italics)


def _colour(name: str) -> str | None:
    """A terminal's colour under rich's name."""
    if name == "default":
        return None
    name = {"brown": "yellow", "brightbrown": "bright_yellow"}.get(name, name)
    if name.startswith("bright"):
        return "bright_" + name.removeprefix("bright").lstrip("_")
    return f"#{name}" if len(name) == 6 and set(name) <= set("0123456789abcdef") else name


def draw(picture: Picture, lines: list[Text]) -> str:
    """A picture of a command and what it printed, as SVG."""
    lines = [line for line in lines if line.plain.strip()]
    left_out = len(lines) - picture.head - picture.tail
    if left_out > 0:
        end = lines[len(lines) - picture.tail :]
        lines = [*lines[: picture.head], Text(f"    ... {left_out} more lines"), *end]
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, force_terminal=True, file=nowhere)
        console.print(Text.assemble(("$ ", "bold"), picture.command))
        for line in lines:
            console.print(line, no_wrap=True, overflow="crop")
    return console.export_svg(title=picture.title, theme=MONOKAI, code_format=FORMAT, unique_id=picture.name)


def refuse(text: str, private: dict[str, str]) -> None:
    """Nothing of this machine belongs into a picture.

    Raises:
        RuntimeError: something of it is there.
    """
    for what, value in private.items():
        if value and value in text:
            raise RuntimeError(f"A picture would show {what}.")


def checkout(folder: Path) -> None:
    """A reader's checkout, set up already."""
    for name in ("deploys", "templates", "examples", "pyinfra_iis", "winlab", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "inventories").mkdir()
    for entry in (ROOT / "inventories").iterdir():
        if entry.name not in ("prod.py", "__pycache__"):
            (folder / "inventories" / entry.name).symlink_to(entry)


def make(terminal: Terminal, private: Callable[[], dict[str, str]]) -> None:
    """Make all pictures, and remove those that are no longer made."""
    FOLDER.mkdir(exist_ok=True)
    for picture in PICTURES:
        for command in picture.before:
            terminal.run(command)
        lines = terminal.run(picture.command)
        refuse("\n".join(line.plain for line in lines), private())
        (FOLDER / f"{picture.name}.svg").write_text(draw(picture, lines), encoding="utf-8")
        print(f"docs/pictures/{picture.name}.svg")  # noqa: T201
    for path in FOLDER.glob("*.svg"):
        if path.stem not in {picture.name for picture in PICTURES}:
            path.unlink()


def main() -> int:
    """Make all pictures, on a lab of their own."""
    with tempfile.TemporaryDirectory() as name:
        folder, state = Path(name) / "checkout", Path(name) / "lab"
        folder.mkdir()
        checkout(folder)
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "WINLAB_STATE": str(state),
            "WINLAB_NETWORK": os.environ.get("WINLAB_NETWORK", "127.0.1"),
            "PYINFRA_PROGRESS": "off",
            "TERM": "xterm-256color",
        }
        environment.pop("NO_COLOR", None)
        environment.pop("COLUMNS", None)

        def private() -> dict[str, str]:
            password = state / "password"
            return {
                "a folder of this machine": name,
                "the checkout's folder": str(ROOT),
                "the home folder": str(Path.home()),
                "the lab's password": password.read_text(encoding="utf-8").strip() if password.exists() else "",
            }

        try:
            make(Terminal(folder, environment), private)
        finally:
            subprocess.run(["winlab", "down"], env=environment, check=False, stdout=subprocess.DEVNULL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
