"""pyinfra's own file operations speak POSIX shell; here are the same questions and deeds in PowerShell.

``files.put``, ``files.get``, ``files.file``, ``files.directory``, ``files.sync`` and ``server.reboot`` ask facts (``stat``, ``sha1sum``,
``find`` ...) and yield commands (``mkdir -p``, ``rm -f`` ...). A command is taken for one of these only when it is exactly the one
that pyinfra itself makes: the fact's own class is asked for its command and the two are compared. What a user writes is never touched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from pyinfra.api.command import QuoteString, StringCommand
from pyinfra.facts import files as file_facts
from pyinfra.facts import server as server_facts

from .files import long_path


@dataclass(frozen=True)
class Answer:
    """A script that does the same on Windows; ``safe`` when it only looks."""

    script: str
    safe: bool


def literal(text: str) -> str:
    """A PowerShell string in single quotes (of which PowerShell knows five)."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"


def answer(command: StringCommand) -> Answer | None:
    """What to run instead of a command that pyinfra made for a POSIX shell; None for all others."""
    raw = command.get_raw_value()
    if raw in _plain():
        return Answer(_plain()[raw], True)
    if raw == REBOOT:
        return Answer("shutdown.exe /r /t 2 /f", False)
    quoted = list(_quoted(command))
    if not quoted:
        return None
    for fact, script in _FACTS.items():
        if _text(fact().command(quoted[0])) == raw:
            return Answer(script(quoted[0]), True)
    for words, do in _DEEDS.items():
        if len(quoted) == do.__code__.co_argcount and _text(StringCommand(*words, *map(QuoteString, quoted))) == raw:
            return Answer(do(*quoted), False)
    return None


#: What pyinfra's ``server.reboot`` runs.
REBOOT = "( sleep 1 && reboot ) </dev/null >/dev/null 2>&1 &"


@cache
def _plain() -> dict[str, str]:
    """Facts without a parameter."""
    return {
        _text(server_facts.TmpDir().command()): "[IO.Path]::GetTempPath().TrimEnd('\\', '/')",
        _text(server_facts.Hostname().command()): "[Environment]::MachineName",
        _text(server_facts.Kernel().command()): "'Windows_NT'",
        _text(server_facts.User().command()): "[Environment]::UserName",
        _text(server_facts.Home().command()): "[Environment]::GetFolderPath('UserProfile')",
        _text(server_facts.Date().command()): "[DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ss') + '+0000'",
        # What server.Uptime asks where `uname -s` said something else than a BSD.
        "cut -d. -f1 /proc/uptime": "[string][Math]::Floor([Diagnostics.Stopwatch]::GetTimestamp() / [Diagnostics.Stopwatch]::Frequency)",
    }


def _stat(path: str) -> str:
    return f"""$path = {literal(long_path(path))}
$shown = {literal(path)}
if ([IO.File]::Exists($path)) {{ $item = New-Object System.IO.FileInfo($path); $size = $item.Length; $kind = '-' }}
elseif ([IO.Directory]::Exists($path)) {{ $item = New-Object System.IO.DirectoryInfo($path); $size = 0; $kind = 'd' }}
else {{ return }}
$target = ''
if ($item.Attributes -band [IO.FileAttributes]::ReparsePoint) {{
    $link = Get-Item -LiteralPath $path -Force
    if ($link.LinkType -eq 'SymbolicLink' -or $link.LinkType -eq 'Junction') {{
        $kind = 'l'
        $target = " -> '" + @($link.Target)[0] + "'"
    }}
}}
if ($item.Attributes -band [IO.FileAttributes]::ReadOnly) {{ $mode = 'r-xr-xr-x' }} else {{ $mode = 'rwxrwxrwx' }}
$start = New-Object DateTime(1970, 1, 1, 0, 0, 0, [DateTimeKind]::Utc)
$times = foreach ($time in $item.LastAccessTimeUtc, $item.LastWriteTimeUtc, $item.CreationTimeUtc) {{
    [string][long][Math]::Floor(($time - $start).TotalSeconds)
}}
"user= group= mode=$kind$mode atime=$($times[0]) mtime=$($times[1]) ctime=$($times[2]) size=$size '$shown'$target"
"""


def _sum(algorithm: str) -> Callable[[str], str]:
    def script(path: str) -> str:
        return f"""$path = {literal(long_path(path))}
if (-not [IO.File]::Exists($path)) {{ return }}
$sum = [Security.Cryptography.{algorithm}]::Create()
$stream = New-Object System.IO.FileStream($path, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]::ReadWrite)
try {{ $hex = [BitConverter]::ToString($sum.ComputeHash($stream)).Replace('-', '').ToLowerInvariant() }} finally {{ $stream.Dispose() }}
$hex + '  ' + {literal(path)}
"""

    return script


def _contents(path: str) -> str:
    return f"""$path = {literal(long_path(path))}
if (-not [IO.File]::Exists($path)) {{ return }}
$stream = New-Object System.IO.FileStream($path, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]::ReadWrite)
try {{ (New-Object System.IO.StreamReader($stream)).ReadToEnd().TrimEnd("`n").TrimEnd("`r") }} finally {{ $stream.Dispose() }}
"""


def _find(what: str) -> Callable[[str], str]:
    # Folder by folder: .NET Framework's search of all folders goes through links, `find` does not. Not all that is a reparse point is a link.
    def script(path: str) -> str:
        return f"""$path = {literal(long_path(path))}
$shown = {literal(path.rstrip("/" + chr(92)))}
if (-not [IO.Directory]::Exists($path)) {{ return }}
$from = $path.TrimEnd('\\', '/').Length
$folders = New-Object 'System.Collections.Generic.Queue[string]'
$folders.Enqueue($path)
while ($folders.Count) {{
    foreach ($name in [IO.Directory]::GetFileSystemEntries($folders.Dequeue())) {{
        $attributes = [IO.File]::GetAttributes($name)
        $isLink = ($attributes -band [IO.FileAttributes]::ReparsePoint) -and (Get-Item -LiteralPath $name -Force).LinkType -in 'SymbolicLink', 'Junction'
        $isFolder = [bool]($attributes -band [IO.FileAttributes]::Directory)
        if ($isFolder -and -not $isLink) {{ $folders.Enqueue($name) }}
        if ({what}) {{ $shown + $name.Substring($from).Replace('\\', '/') }}
    }}
}}
"""

    return script


_FACTS: dict[type, Callable[[str], str]] = {
    file_facts.File: _stat,
    file_facts.Sha1File: _sum("SHA1"),
    file_facts.Sha256File: _sum("SHA256"),
    file_facts.Sha384File: _sum("SHA384"),
    file_facts.Md5File: _sum("MD5"),
    file_facts.FileContents: _contents,
    file_facts.FindFiles: _find("-not $isFolder -and -not $isLink"),
    file_facts.FindDirectories: _find("$isFolder -and -not $isLink"),
    file_facts.FindLinks: _find("$isLink"),
    server_facts.Which: lambda name: (
        f"$found = @(Get-Command -Name {literal(name)} -CommandType Application -ErrorAction SilentlyContinue)\n"
        "if ($found.Count) { $found[0].Path }"
    ),
}


def _remove(path: str) -> str:
    return f"if (Test-Path -LiteralPath {literal(path)}) {{ Remove-Item -LiteralPath {literal(path)} -Recurse -Force -ErrorAction Stop }}"


def _remove_file(path: str) -> str:
    return f"if (Test-Path -LiteralPath {literal(path)}) {{ Remove-Item -LiteralPath {literal(path)} -Force -ErrorAction Stop }}"


def _make_folder(path: str) -> str:
    return f"[void][IO.Directory]::CreateDirectory({literal(long_path(path))})"


def _move(source: str, target: str) -> str:
    return f"Move-Item -LiteralPath {literal(source)} -Destination {literal(target)} -Force -ErrorAction Stop"


def _touch(path: str) -> str:
    return (
        f"$path = {literal(long_path(path))}\n"
        "if ([IO.File]::Exists($path)) { [IO.File]::SetLastWriteTimeUtc($path, [DateTime]::UtcNow) } else { [IO.File]::Create($path).Dispose() }"
    )


_DEEDS: dict[tuple[str, ...], Callable[..., str]] = {
    ("mkdir", "-p"): _make_folder,
    ("rm", "-f"): _remove_file,
    ("rm", "-rf"): _remove,
    ("mv",): _move,
    ("touch",): _touch,
}


def _text(command: str | StringCommand) -> str:
    return command.get_raw_value() if isinstance(command, StringCommand) else command


def _quoted(command: StringCommand) -> Iterator[str]:
    """The texts that pyinfra quoted for the shell, in order, each once."""
    seen: set[str] = set()

    def walk(bits: tuple[object, ...]) -> Iterator[str]:
        for bit in bits:
            if isinstance(bit, QuoteString) and isinstance(bit.obj, str):
                if bit.obj not in seen:
                    seen.add(bit.obj)
                    yield bit.obj
            elif isinstance(bit, StringCommand):
                yield from walk(bit.bits)

    yield from walk(command.bits)
