"""Small JSON documents on disk: read once, written whole and atomically."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Document:
    """A JSON document at `path`; `default` when it is not there yet (nothing is written until `save`)."""

    def __init__(self, path: Path, default: Any) -> None:
        self.path = path
        try:
            self.data: Any = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            self.data = default
        self._lock = threading.RLock()
        self._batches = 0
        self._dirty = False

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """Many changes, written once at the end."""
        with self._lock:
            self._batches += 1
        try:
            yield
        finally:
            with self._lock:
                self._batches -= 1
                if self._dirty and not self._batches:
                    self._write()

    def save(self) -> None:
        """Replaces the file in one step, so that a crash leaves the old or the new document."""
        with self._lock:
            if self._batches:
                self._dirty = True
            else:
                self._write()

    def _write(self) -> None:
        self._dirty = False
        temporary = self.path.with_name(self.path.name + ".new")
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(self.data, file, ensure_ascii=False, separators=(",", ":"))
        os.replace(temporary, self.path)
