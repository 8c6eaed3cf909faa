"""Small JSON documents on disk: read once, written whole and atomically."""

from __future__ import annotations

import json
import os
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

    def save(self) -> None:
        """Replaces the file in one step, so that a crash leaves the old or the new document."""
        temporary = self.path.with_name(self.path.name + ".new")
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(self.data, file, ensure_ascii=False, separators=(",", ":"))
        os.replace(temporary, self.path)
