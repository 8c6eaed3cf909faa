"""Starting configurations of the recorded cases, in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from winlab.iis.config import APPHOST, ConfigStore
from winlab.iis.files import MemoryFiles
from winlab.iis.schema import SCHEMA_DIR, Schema

DATA = Path(__file__).parents[2] / "data" / "iis-config-vectors.json"
FOLDERS = {"Default Web Site": r"C:\inetpub\wwwroot", "Tools": r"C:\sites\tools"}


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(DATA.read_text("utf-8"))
    return document


@pytest.fixture(scope="session")
def schema() -> Schema:
    names = ("IIS_schema.xml", "rscaext.xml", "httpplatform_schema.v2.xml")
    return Schema.load((SCHEMA_DIR / n).read_bytes() for n in names)


@pytest.fixture
def make_store(vectors: dict[str, Any], schema: Schema) -> Callable[..., ConfigStore]:
    """A store over one of the recorded starting configurations, with further files (Windows path -> text)."""

    def make(config: str = "fresh", files: dict[str, str] | None = None) -> ConfigStore:
        start = vectors["configs"][config]
        content = {APPHOST: start["applicationHost.config"].encode()}
        for site, found in start["sites"].items():
            for name, text in found.items():
                content[f"{FOLDERS[site]}\\{name}"] = text.encode()
        content |= {path: text.encode() for path, text in (files or {}).items()}
        return ConfigStore(MemoryFiles(content), schema)

    return make
