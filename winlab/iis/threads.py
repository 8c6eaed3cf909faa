"""Threads for what may block (disk, processes): a pool of IIS's own, so that it never waits for threads that wait for IIS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_executor = ThreadPoolExecutor(16, "iis")


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs blocking work beside the loop."""
    return await asyncio.get_running_loop().run_in_executor(_executor, lambda: work(*args, **kwargs))
