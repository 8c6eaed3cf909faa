"""What operations change: shown as old -> new under `--diff`, and recorded for change control.

pyinfra runs an operation's code when it looks for changes, only up to the first command that it yields, and once more when it makes them. So an
operation shows all its changes before its first command, and what has been shown is not shown again unless it has become another change.
"""

from __future__ import annotations

import atexit
import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import SecretStr
from pyinfra import logger
from pyinfra.api import HiddenValue, Host, State
from pyinfra.api.output import echo, format_text
from pyinfra.context import ctx_host, ctx_state

FILE_KEY = "changes_file"
"""The host data key that asks for a record: a path on the controlling machine."""

MASK = "***"

_SECRET_WORDS = frozenset(
    {"secret", "secrets", "password", "passwords", "passwd", "pwd", "passphrase", "token", "tokens"}
    | {"credential", "credentials", "apikey", "dsn"}
)
_SECRET_PAIRS = frozenset(
    {
        ("api", "key"),
        ("private", "key"),
        ("secret", "key"),
        ("access", "key"),
        ("signing", "key"),
        ("encryption", "key"),
        ("account", "key"),
        ("connection", "string"),
        ("database", "url"),
        ("broker", "url"),
        ("cache", "url"),
        ("redis", "url"),
    }
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_USER_INFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@\"']*:)[^\s/@\"']+@")
_XML_PAIR = re.compile(
    r"(?P<before>\b(?:name|key)=(?P<q>[\"'])(?P<name>[^\"']*)(?P=q)\s+value=)(?P<v>[\"']).*?(?P=v)", re.IGNORECASE
)
_ASSIGNMENT = re.compile(
    r"(?P<before>(?P<q>[\"']?)\b(?P<name>[A-Za-z_][\w.-]*)(?P=q)\]?\s*(?:=|:)\s*)(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;<>\"'{\[(][^\s,;<>]*)"
)


@dataclass(frozen=True)
class Change:
    """One property that changes.

    Attributes:
        what: the property, ending with its name (`app pool mysite startMode`).
        old: its value now; None: nothing there.
        new: its value afterwards; None: taken away.
        secret: the values are shown nowhere; so are those of names that sound secret (`app pool mysite environment DB_PASSWORD`), of
            pyinfra's HiddenValue and of pydantic's SecretStr.
        lines: for text files: a unified diff, without anything secret.
    """

    what: str
    old: Any = None
    new: Any = None
    secret: bool = False
    lines: Sequence[str] = ()

    @property
    def shown(self) -> tuple[Any, Any]:
        """Both values as people may see them."""
        return self._shown(self.old), self._shown(self.new)

    def _shown(self, value: Any) -> Any:
        if value is None:
            return None
        if self.secret or isinstance(value, HiddenValue | SecretStr):
            return MASK
        if sounds_secret(self.what) and not _is_switch(value):
            return MASK
        if isinstance(value, Mapping):
            return {
                str(key): MASK if sounds_secret(str(key)) and not _is_switch(item) else self._shown(item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            items = [self._shown(item) for item in value]
            return sorted(items, key=str) if isinstance(value, set | frozenset) else items
        return value if isinstance(value, bool | int | float) else _without_secrets(str(value))


@dataclass
class _Operation:
    """The changes of one operation on one host; keys are what makes two changes the same to a reader."""

    host: Host
    hash: str | None
    name: str
    announced: dict[str, Change] = field(default_factory=dict)
    made: dict[str, Change] = field(default_factory=dict)


@dataclass
class _Record:
    operations: dict[tuple[str, str], _Operation] = field(default_factory=dict)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))


_records: WeakKeyDictionary[State, _Record] = WeakKeyDictionary()
_secrets: set[str] = set()


def sounds_secret(what: str) -> bool:
    """Whether a property's name, the last word of a description, says that its value is a secret; a path is no name."""
    name = what.rsplit(" ", 1)[-1]
    if "/" in name or "\\" in name:
        return False
    words = [word.lower() for word in _WORD.findall(name)]
    return not _SECRET_WORDS.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairwise(words))


def _is_switch(value: Any) -> bool:
    """Whether a value only says yes or no (`forwardWindowsAuthToken`): no secret, whatever its name."""
    return isinstance(value, bool) or str(value).strip("\"'").lower() in ("true", "false")


def hide(*values: str) -> None:
    """Remember texts that are secret wherever they turn up, in values as in diffs; very short ones cannot be told from others."""
    _secrets.update(value for value in values if len(value) >= 4)


def text_diff(what: str, old: str | None, new: str | None, context: int = 3) -> Change:
    """The change of a text file, as a unified diff.

    Args:
        what: the file's path.
        old: its text now; None: there is none.
        new: its text afterwards; None: it is removed.
        context: how many lines around a difference are shown.
    """
    before, after = ((text or "").splitlines() for text in (old, new))
    lines = list(difflib.unified_diff(before, after, n=context, lineterm=""))[2:]
    masked = tuple(_without_secrets(_without_assignments(line)) for line in lines)
    return Change(what, _size(old), _size(new), lines=masked)


def _size(text: str | None) -> str | None:
    return None if text is None else f"{len(text.encode())} bytes"


def show(changes: Iterable[Change]) -> None:
    """Record what the operation at hand changes, and print it under `--diff`.

    Args:
        changes: all of them; an operation calls this before it yields its first command. A change without a difference is none.
    """
    state, host = ctx_state.get(), ctx_host.get()
    if state is None or host is None:
        return
    operation = _operation(state, host)
    for change in changes:
        if change.old == change.new != MASK and not change.secret and not change.lines:
            continue
        key = f"{change.what}\n{change.shown[1]}"
        is_new = key not in operation.announced and key not in operation.made
        (operation.made if state.is_executing else operation.announced)[key] = change
        if is_new and state.config.DIFF:
            for line in _printed(change):
                echo(f"    {host.print_prefix}  {line}", err=True)


def _operation(state: State, host: Host) -> _Operation:
    record = _records.setdefault(state, _Record())
    identifier = host.current_op_hash
    name = ""
    if identifier:
        name = ", ".join(sorted(state.get_op_meta(identifier).names))
    key = (host.name, identifier or "")
    if key not in record.operations:
        record.operations[key] = _Operation(host, identifier, name)
    return record.operations[key]


def _printed(change: Change) -> Iterator[str]:
    what = _visible(_without_secrets(change.what))
    old, new = (_one_line(value) for value in change.shown)
    if change.old is None:
        yield format_text(f"+ {what}: {new}", "green")
    elif change.new is None:
        yield format_text(f"- {what}: {old}", "red")
    else:
        yield f"~ {what}: {format_text(old, 'red')} -> {format_text(new, 'green')}"
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in change.lines:
        colour = colours.get(line[:1])
        text = _visible(line)
        yield "  " + (format_text(text, colour) if colour else text)


def _one_line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_one_line(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_one_line(item) for item in value) or "(none)"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _visible(str(value)) or "(empty)"


def _visible(text: str) -> str:
    """Control characters as escapes: what a server says must not move a terminal's cursor."""
    return "".join(
        char if char == "\t" or char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _without_secrets(text: str) -> str:
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _USER_INFO.sub(rf"\g<scheme>{MASK}@", text)


def _without_assignments(line: str) -> str:
    """A line of a file without the values that follow names which sound secret."""

    def pair(match: re.Match[str]) -> str:
        if not sounds_secret(match["name"]):
            return match[0]
        return f"{match['before']}{match['v']}{MASK}{match['v']}"

    def assignment(match: re.Match[str]) -> str:
        if not sounds_secret(match["name"]) or _is_switch(match["value"]):
            return match[0]
        quote = match["value"][0] if match["value"][0] in "\"'" else ""
        return f"{match['before']}{quote}{MASK}{quote}"

    return _ASSIGNMENT.sub(assignment, _XML_PAIR.sub(pair, line))


def recorded(state: State | None = None) -> list[dict[str, Any]]:
    """What has been announced or done so far, in the order in which it came up.

    Args:
        state: of which run; default the one in context.

    Returns:
        For every change `host`, `operation`, `what`, `old`, `new` (masked like what is shown), `outcome` and, for text files, `diff` (lines).
        The outcome is `announced` (not done, as under `--dry`), `done`, or `failed`: its operation failed, so it may be done or not.
    """
    state = state or ctx_state.get()
    record = _records.get(state) if state is not None else None
    if state is None or record is None:
        return []
    found = []
    for operation in record.operations.values():
        outcome = _outcome(state, operation)
        changes = operation.announced if outcome == "announced" else operation.made
        for change in changes.values():
            old, new = change.shown
            what = _without_secrets(change.what)
            entry = {"host": operation.host.name, "operation": operation.name, "what": what, "old": old, "new": new}
            found.append({**entry, "outcome": outcome, **({"diff": list(change.lines)} if change.lines else {})})
    return found


def _outcome(state: State, operation: _Operation) -> str:
    if operation.hash is None:
        return "done" if operation.made else "announced"
    data = state.ops.get(operation.host, {}).get(operation.hash)
    if data is not None and data.operation_meta.did_succeed(_raise_if_not_complete=False):
        return "done"
    return "failed" if operation.made else "announced"


def document(state: State, hosts: Sequence[Host]) -> dict[str, Any]:
    """The record of a run for some hosts, as it is written to a file.

    Args:
        state: the run.
        hosts: of which hosts.
    """
    record = _records.get(state) or _Record()
    names = {host.name for host in hosts}
    return {
        "started": record.started.isoformat(timespec="seconds"),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "dry": not state.is_executing,
        "hosts": sorted(names),
        "failed": sorted(host.name for host in state.failed_hosts if host.name in names),
        "changes": [change for change in recorded(state) if change["host"] in names],
    }


def write_files(state: State, write: Callable[[Path, str], object] = Path.write_text) -> None:
    """Write the records that host data asks for, each with the hosts that name it.

    Args:
        state: the run.
        write: writes a text to a path.
    """
    wanted: dict[Path, list[Host]] = {}
    for host in state.inventory:
        if host in state.activated_hosts | state.failed_hosts and (path := host.data.get(FILE_KEY)):
            wanted.setdefault(Path(state.cwd or ".") / Path(str(path)).expanduser(), []).append(host)
    for path, hosts in wanted.items():
        try:
            write(path, json.dumps(document(state, hosts), indent=2, ensure_ascii=False) + "\n")
        except OSError as error:
            logger.error(f"The record of changes cannot be written to {path}: {error.strerror}.")


@atexit.register
def _at_the_end() -> None:
    """However a run ends, its record is written."""
    state = ctx_state.get()
    if state is not None and getattr(state, "inventory", None) is not None:
        write_files(state)
