"""Pictures of terminals, from real runs on the lab: python -m docs.pictures (or `make pictures`); writes docs/pictures/*.svg.

Each picture is what a command printed, with its colours, nothing else: run on simulated servers of a lab of its own, in the order below.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "pictures"
WIDTH = 118
DEPLOY = "pyinfra inventories/lab.py deploys/django_iis.py"
RUNS: tuple[tuple[str, str, str], ...] = (
    ("dry-run", "What would change on a bare server", f"{DEPLOY} --dry --diff"),
    ("deploy", "A bare server becomes a served site", f"{DEPLOY} -y"),
    ("second-run", "The second run changes nothing", f"{DEPLOY} -y"),
    ("status", "How it is", "pyinfra inventories/lab.py deploys/status.py --dry"),
)
# Without the web font that rich's own format fetches.
FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>.{unique_id}-matrix {{ font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


def printed(command: str, environment: dict[str, str]) -> str:
    """What a command prints to a terminal.

    Args:
        command: for the shell, run in the checkout.
        environment: of the shell.

    Raises:
        RuntimeError: it failed.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        parts.append(part)
    text = b"".join(parts).decode("utf-8", "replace").replace("\r\n", "\n")
    if process.wait():
        raise RuntimeError(f"{command} failed:\n{text}")
    return text


def picture(name: str, title: str, command: str, text: str, most: int = 60) -> None:
    """Write a picture of a command and the first lines of what it printed."""
    lines = [line.rsplit("\r", 1)[-1].rstrip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    shown = lines[:most] + ([f"... {len(lines) - most} more lines"] if len(lines) > most else [])
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, force_terminal=True, file=nowhere)
        console.print(f"[bold]$[/] {command}")
        for line in shown:
            console.print(Text.from_ansi(line), overflow="ellipsis", no_wrap=True)
    FOLDER.mkdir(exist_ok=True)
    svg = console.export_svg(title=title, theme=MONOKAI, code_format=FORMAT, unique_id=name)
    (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")


def main() -> int:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as state:
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "WINLAB_STATE": state,
            "WINLAB_NETWORK": os.environ.get("WINLAB_NETWORK", "127.0.9"),
            "PYINFRA_PROGRESS": "off",
            "COLUMNS": str(WIDTH),
            "TERM": "xterm-256color",
        }
        try:
            for name, title, command in RUNS:
                picture(name, title, command, printed(command, environment))
        finally:
            subprocess.run(["winlab", "down"], env=environment, check=False, stdout=subprocess.DEVNULL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
