""".NET types by name, as PowerShell scripts use them. Importing this package declares nothing; :func:`load` declares all of them."""

from __future__ import annotations

import importlib

MODULES = (
    "values",
    "strings",
    "numbers",
    "system",
    "identity",
    "collections",
    "time",
    "encodings",
    "regex_types",
    "globalization",
    "paths",
    "threads",
    "streams",
    "files",
    "console",
    "diagnostics",
    "registry",
    "cryptography",
    "xml",
    "reflection",
    "services",
    "type_files",
    "net",
    "web",
    "access",
    "certificates",
    "methods",
    "expressions",
    "reflection",
    "services",
    "type_files",
)
_loaded = False


def load() -> None:
    """Import every module that declares types; a second call does nothing."""
    global _loaded
    if _loaded:
        return
    for name in MODULES:
        importlib.import_module(f"{__name__}.{name}")
    _loaded = True
