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
from itertools import groupby
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
    {"winrm_user": lab["user"], "django_project": "shop", "django_bindings": ["*:8014:"], "django_secure_cookies": False},
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
        parts: what is shown, each part from the first line that holds the one text to the next that holds the other; nothing means all.
        code: the exit code that the command has to have.
        before: what happens first, and is not shown: shell commands, run in the same folder.
        width: of the terminal, in columns.
        wrap: whether longer lines go on below; else they are cut.
    """

    name: str
    title: str
    command: str
    parts: tuple[tuple[str, str], ...] = ()
    code: int = 0
    before: tuple[str, ...] = ()
    width: int = WIDTH
    wrap: bool = False


def write(path: str, text: str) -> str:
    """The shell command that writes a file."""
    return f"mkdir -p {Path(path).parent} && cat > {path} <<'END'\n{text}END\n"


PICTURES: tuple[Picture, ...] = (
    Picture(
        "dry-run",
        "What would change on a bare server",
        f"{DJANGO} --dry --diff",
        parts=(("Loading config", "pyinfra_iis_gate.py: "),),
        before=("django-admin startproject shop",),
    ),
    Picture("deploy", "A bare server becomes a served site", f"{DJANGO} -y"),
    Picture(
        "second-run",
        "The second run changes nothing",
        f"{DJANGO} -y",
        parts=(("Loading config", "Connected"), ("Results:", "Disconnecting")),
    ),
    Picture(
        "broken",
        "A release that cannot start",
        f'{DJANGO} -y; echo "exit code $?"',
        parts=(
            ("Loading config", "put 9 files together"),
            ("ModuleNotFoundError", "No hosts remaining"),
            ("exit code 1", "exit code 1"),
        ),
        before=(write("shop/shop/urls.py", BROKEN),),
    ),
    Picture(
        "rollout",
        "Three servers, one of them first",
        f"WINLAB_HOSTS=3 {DJANGO} {CANARY} -y",
        parts=(("Loading config", "Begin the rollout"), ("Go live, wave 1", ".3  runs")),
        before=(write("shop/shop/urls.py", URLS.format(word="Hello again")),),
    ),
    Picture(
        "status",
        "Which release runs where, and how",
        "pyinfra inventories/prod.py deploys/status.py --dry -y 2>/dev/null",
        width=160,
        before=(
            write("inventories/prod.py", PROD),
            f"pyinfra inventories/prod.py exec --limit @winrm/web3.example.com -y -- '{LOCK}'",
        ),
    ),
    Picture(
        "diagnose",
        "Why does it not work?",
        "pyinfra inventories/prod.py deploys/diagnose.py --dry -y 2>/dev/null",
        code=1,
        wrap=True,
    ),
)


class Terminal:
    """Runs commands of a shell on a terminal, in a folder."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def run(self, command: str, width: int = WIDTH, code: int = 0) -> list[Text]:
        """What a terminal shows when a command has ended.

        Args:
            command: for the shell.
            width: columns of the terminal.
            code: the exit code that it has to have.

        Raises:
            RuntimeError: it ended otherwise.
        """
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
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
        # Larger than anything that is printed, so that nothing scrolls away or wraps.
        screen = pyte.Screen(1000, 4000)
        stream = pyte.ByteStream(screen)
        for part in _parts(ours):
            stream.feed(part)
        lines = [_line(screen, row) for row in range(screen.cursor.y + 1)]
        if process.wait() != code:
            raise RuntimeError(
                f"{command} ended with {process.returncode}, not {code}:\n" + "\n".join(line.plain for line in lines)
            )
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
    line = Text()
    cells = [screen.buffer[row][column] for column in range(max(screen.buffer[row], default=-1) + 1)]
    for style, part in groupby(cells, _style):
        line.append("".join(cell.data for cell in part), style)
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


def shown(picture: Picture, lines: list[Text]) -> list[Text]:
    """The lines of a command's output that are in its picture.

    Raises:
        RuntimeError: it did not print what is to be shown.
    """
    lines = [line for line in lines if line.plain.strip()]
    found: list[Text] = []
    position = 0
    for first, last in picture.parts or ((lines[0].plain, lines[-1].plain),):
        begin = _position(picture, lines, first, position)
        end = _position(picture, lines, last, begin) + 1
        found += [*_left_out(begin - position), *lines[begin:end]]
        position = end
    return [*found, *_left_out(len(lines) - position)]


def _position(picture: Picture, lines: list[Text], text: str, begin: int) -> int:
    for position in range(begin, len(lines)):
        if text in lines[position].plain:
            return position
    raise RuntimeError(f"{picture.command} did not print '{text}':\n" + "\n".join(line.plain for line in lines))


def _left_out(count: int) -> list[Text]:
    return [Text(f"    ... {count} more lines")] if count else []


def draw(picture: Picture, lines: list[Text]) -> str:
    """A picture of a command and lines that it printed, as SVG."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=picture.width, force_terminal=True, file=nowhere)
        console.print(Text.assemble(("$ ", "bold"), picture.command))
        for line in lines:
            console.print(line, no_wrap=not picture.wrap, overflow="fold" if picture.wrap else "ellipsis")
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
        lines = shown(picture, terminal.run(picture.command, picture.width, picture.code))
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
