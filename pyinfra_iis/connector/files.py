"""Files to and from a server through the loop, with constant memory on both sides."""

from __future__ import annotations

import gzip
import hashlib
import logging
import ntpath
import os
import re
import secrets as random_secrets
import time
import zlib
from collections.abc import Callable
from typing import IO, Any

from . import frames
from .errors import LoopLost, ReplyLost, TooLarge, TransferFailed, WireError
from .session import Session

logger = logging.getLogger("pyinfra")

#: Asked for at once when reading; a lost answer costs at most so much again.
WINDOW = 16 << 20
#: Every so many pieces we ask how far the server has come.
CHECK_EVERY = 96
_PIECE = 65536

#: Called with bytes done and bytes in all (0 when unknown).
Progress = Callable[[int, int], None]


def long_path(path: str) -> str:
    """The path in the form that Windows takes at any length; short and relative ones stay as they are."""
    if (
        len(path) < 240
        or path.startswith("\\\\?\\")
        or not (re.match(r"[A-Za-z]:[\\/]", path) or path.startswith("\\\\"))
    ):
        return path
    normal = ntpath.normpath(path)
    return "\\\\?\\UNC" + normal[1:] if normal.startswith("\\\\") else "\\\\?\\" + normal


def beside(path: str, token: str) -> str:
    """A temporary name in the same folder."""
    cut = max(path.rfind("\\"), path.rfind("/")) + 1
    return f"{path[:cut]}.{token}.part"


def put(session: Session, source: IO[bytes], path: str, chdir: str = "", progress: Progress | None = None) -> None:
    """Writes a file on the server: whole and checked, or not at all.

    Args:
        source: a readable, seekable binary file, read from its beginning.
        path: where it goes; relative paths start at ``chdir`` or the shell's own folder.
        progress: told of bytes sent.

    Raises:
        TransferFailed: the server cannot write it; the message says why.
        WireError: the connection was lost for good. The old file, if any, is as it was.
    """
    # Stays here if connection and process are lost on the way: the transfer goes on where it stopped.
    token = random_secrets.token_hex(6)
    total = source.seek(0, os.SEEK_END)
    resumed = 0
    with session.lock:
        while True:
            try:
                session.open()
                session.pinned = True
                path_there = _absolute(session, path, chdir)
                answer = _put_once(session, source, path_there, token, total, resumed > 0, progress)
            except TooLarge:
                continue  # the pieces are smaller now
            except LoopLost as lost:
                resumed += 1
                if resumed > 3:
                    raise
                session.spoil()
                logger.debug("%s: %s; taking up the transfer again", session.settings.name, lost.what)
                continue
            except WireError:
                session.spoil()
                raise
            except BaseException:
                session.spoil()
                raise
            finally:
                session.pinned = False
            if answer == "":
                return
            if resumed >= 3 or not answer.startswith("sum"):
                raise TransferFailed(f"cannot write {path}: {answer}")
            resumed = 3  # what arrived is not what was sent: once more from the beginning
            token = random_secrets.token_hex(6)
            total = source.seek(0, os.SEEK_END)


def _put_once(
    session: Session, source: IO[bytes], path: str, token: str, total: int, resume: bool, progress: Progress | None
) -> str:
    """One attempt. Returns "" when the file is in place, or why it is not."""
    part = long_path(beside(path, token))
    head = {"transfer": token, "part": part, "path": long_path(path)}
    source.seek(0)
    digest = hashlib.sha256()
    start = 0
    if resume:
        start = _taken_up(session, source, head)
        source.seek(0)
        left = start
        while left:
            piece = source.read(min(_PIECE, left))
            digest.update(piece)
            left -= len(piece)
        head["resume"], head["keep"] = "1", str(start)
        if not start:
            head.pop("resume"), head.pop("keep")
    session.hold_back(frames.PUT_OPEN, head)
    reader = _Pieces(source, digest, session.settings.compress)
    commit = {"transfer": token, "path": head["path"], "sum": "0" * 64}
    # The last piece and the request to put the file in its place travel together.
    reserve = len(frames.body(commit)) + 2 * frames.HEAD_SIZE + 64
    sent = 0
    while True:
        data, flags = reader.next(session.room() - reserve)
        if not data:
            break
        sent += 1
        if reader.ended:
            session.hold_back(frames.PUT_DATA, {}, data, flags)
            break
        session.send_only(frames.PUT_DATA, {}, data, flags)
        if progress:
            progress(start + reader.read, total)
        if sent % CHECK_EVERY == 0:
            error = session.request(frames.PUT_CHECK, {"transfer": token}, safe=True, attempts=1).head.get("error", "")
            if error:
                return error
    commit["sum"] = expected = digest.hexdigest()
    reply = session.request(frames.PUT_COMMIT, commit, safe=True, attempts=1).head
    if progress:
        progress(total, total)
    if reply.get("error"):
        return reply["error"]
    return "" if reply.get("sum") == expected else "sum of what arrived differs from what was sent"


def _taken_up(session: Session, source: IO[bytes], head: dict[str, str]) -> int:
    """How many bytes of an interrupted transfer are on the server, if they are the first bytes of ours."""
    session.send_only(frames.PUT_OPEN, {**head, "resume": "1"})
    reply = session.request(frames.PUT_CHECK, {"transfer": head["transfer"], "sum": "1"}, safe=True, attempts=1).head
    length = int(reply.get("size") or 0)
    if reply.get("error") or not length:
        return 0
    digest = hashlib.sha256()
    left = length
    while left:
        piece = source.read(min(_PIECE, left))
        if not piece:
            return 0
        digest.update(piece)
        left -= len(piece)
    return length if digest.hexdigest() == reply.get("sum") else 0


class _Pieces:
    """Cuts a file into pieces that fit one request each, packed where that pays."""

    def __init__(self, source: IO[bytes], digest: Any, compress: bool) -> None:
        self.source = source
        self.digest = digest
        self.compress = compress
        self.read = 0
        self.ended = False
        self._ahead: bytes | None = None

    def next(self, room: int) -> tuple[bytes, int]:
        """The next piece of at most ``room`` bytes and its flags; sets ``ended`` with the last one."""
        if self.compress and self._pays():
            return self._packed(room), frames.PACKED
        data = self._take(room)
        while len(data) < room and (more := self._take(room - len(data))):
            data += more
        self._look_ahead()
        return data, 0

    def _packed(self, room: int) -> bytes:
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        packed = bytearray()
        # What the packer holds back never comes to more than this when it is let go.
        pending = 80 << 10
        while len(packed) + pending < max(room, 2 * pending):
            piece = self._take(_PIECE)
            if not piece:
                break
            packed += packer.compress(piece)
        packed += packer.flush()
        self._look_ahead()
        return bytes(packed)

    def _pays(self) -> bool:
        self._look_ahead()
        sample = self._ahead or b""
        return len(sample) > 512 and len(gzip.compress(sample, 1)) < len(sample) * 8 // 10

    def _look_ahead(self) -> None:
        if self._ahead is None:
            self._ahead = self.source.read(_PIECE)
        self.ended = not self._ahead

    def _take(self, size: int) -> bytes:
        if self._ahead is not None:
            data, self._ahead = self._ahead[:size], self._ahead[size:] or None
        else:
            data = self.source.read(size)
        self.digest.update(data)
        self.read += len(data)
        return data


def get(session: Session, path: str, target: IO[bytes], chdir: str = "", progress: Progress | None = None) -> None:
    """Reads a file of the server into ``target`` (writable, seekable, from its beginning) and checks its SHA-256.

    Raises:
        TransferFailed: it cannot be read, or kept changing while it was.
        WireError: the connection was lost for good.
    """
    with session.lock:
        for attempt in range(3):
            if _get_once(session, path, target, chdir, progress):
                return
            logger.debug("%s: %s changed while it was read, attempt %s", session.settings.name, path, attempt + 1)
    raise TransferFailed(f"cannot read {path}: its content keeps changing", "stop what writes to it, or read a copy")


def _get_once(session: Session, path: str, target: IO[bytes], chdir: str, progress: Progress | None) -> bool:
    target.seek(0)
    target.truncate()
    digest = hashlib.sha256()
    done, total = 0, -1
    failures = 0
    pack: bool | None = None

    def take(data: bytes) -> None:
        nonlocal done, pack
        if total >= 0:
            data = data[: max(0, total - done)]
        if pack is None:
            pack = session.settings.compress and len(gzip.compress(data[:_PIECE], 1)) < len(data[:_PIECE]) * 8 // 10
        target.write(data)
        digest.update(data)
        done += len(data)
        if progress:
            progress(done, max(total, 0))

    while True:
        try:
            session.open()
            head = {
                "path": long_path(_absolute(session, path, chdir)),
                "offset": str(done),
                # The first piece is small: it shows whether packing pays.
                "amount": str(_PIECE if pack is None and session.settings.compress else WINDOW),
                "pack": "1" if pack else "0",
            }
            if total >= 0:
                head["total"] = str(total)
            before = done
            reply = session.request(frames.GET, head, on_data=take, safe=True, attempts=1).head
        except WireError as error:
            # Pieces are handed over in order, so what has come so far is good: go on from there.
            failures = failures + 1 if done == before else 1
            if not isinstance(error, ReplyLost):
                session.spoil()
            if failures > 3 or not isinstance(error, LoopLost | ReplyLost):
                raise
            time.sleep(0.2 * failures)
            continue
        if reply.get("error"):
            raise TransferFailed(f"cannot read {path}: {reply['error']}")
        length = int(reply.get("size") or 0)
        if total < 0:
            total = length
        if done >= total:
            return not reply.get("sum") or reply["sum"] == digest.hexdigest()
        if length < total or done == before:
            return False


def _absolute(session: Session, path: str, chdir: str) -> str:
    """Relative paths start at the given folder, or at the one the shell started in."""
    if re.match(r"[A-Za-z]:[\\/]|[\\/]", path):
        return path
    base = chdir or session.facts.get("directory", "")
    separator = "\\" if session.facts.get("windows", "True") == "True" else "/"
    return base.rstrip("\\/") + separator + path if base else path
