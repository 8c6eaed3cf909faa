"""The files of a release that the deploy itself makes (web.config, the settings overlay, the gate), as unified diffs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyinfra import host, state

from pyinfra_iis import facts
from pyinfra_iis.facts.windows import Texts
from pyinfra_iis.operations.changes import Change, text_diff
from pyinfra_iis.release.release import Release

_LIMIT = 256 * 1024
"""Larger files are not read, in bytes: nothing that a deploy makes is."""


def rendered_changes(release: Release, base: Mapping[str, Any] | None) -> list[Change]:
    """How the files that the deploy makes differ from those of a release on the server; their texts are read only under `--diff`.

    Args:
        release: what will be deployed.
        base: the record of the release on the server, or None for a first one.
    """
    known = base["files"] if base else {}
    made = {path: file.content for path, file in release.files.items() if file.content is not None}
    changed = {path: content for path, content in made.items() if known.get(path) != release.entries[path]}
    before = {path: known[path][1] for path in changed if path in known}
    if not state.config.DIFF:
        return [
            Change(path, before.get(path) and f"{before[path]} bytes", f"{len(content)} bytes")
            for path, content in changed.items()
        ]
    there = {path: rf"{release.settings.root}\releases\{base['id']}\{path}" for path in before} if base else {}
    texts = facts.read(host, Texts, files=list(there.values()), limit=_LIMIT)["texts"] if there else {}
    return [
        text_diff(path, (texts.get(there[path]) or "") if path in there else None, content.decode())
        for path, content in changed.items()
    ]
