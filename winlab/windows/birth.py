"""When a file of this machine was made, where it can tell: Linux' statx (2), which Python does not offer yet.

Layout and constants: linux/stat.h, `struct statx` (256 bytes; stx_mask at 0, stx_btime at 80: seconds 64 bit, nanoseconds 32 bit).
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Callable
from functools import cache

_AT_FDCWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_STATX_BTIME = 0x800


def birth_time(path: str) -> float | None:
    """Seconds since 1970, or None when the machine or the file's file system does not keep it."""
    statx = _statx()
    if statx is None:
        return None
    answer = ctypes.create_string_buffer(256)
    if statx(_AT_FDCWD, os.fsencode(path), _AT_SYMLINK_NOFOLLOW, _STATX_BTIME, answer):
        return None
    if not struct.unpack_from("=I", answer, 0)[0] & _STATX_BTIME:
        return None
    seconds, nanoseconds = struct.unpack_from("=qI", answer, 80)
    return float(seconds + nanoseconds / 1e9)


@cache
def _statx() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        function = ctypes.CDLL(None).statx
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_char_p)
    return function
