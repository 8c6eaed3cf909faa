"""The mirror of artifacts."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import aiohttp
import pytest

from winlab import artifacts
from winlab.artifacts import Artifacts


def test_files_and_their_published_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def builder(name: str, content: bytes) -> artifacts.Callable[[], bytes]:
        def build() -> bytes:
            made.append(name)
            return content

        return build

    contents = {"a.msi": b"package" * 1000, "b.zip": bytes(range(256)) * 5000}
    monkeypatch.setattr(artifacts, "builders", lambda: {name: builder(name, data) for name, data in contents.items()})

    async def ask() -> None:
        mirror = Artifacts(tmp_path / "artifacts")
        await mirror.serve("127.0.0.1", 0)
        assert mirror._runner is not None
        url = f"http://127.0.0.1:{mirror._runner.addresses[0][1]}/"
        async with aiohttp.ClientSession() as session:
            assert not made
            sums = await (await session.get(url + "SHA256SUMS")).text()
            expected = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
            assert dict(reversed(line.split("  ")) for line in sums.splitlines()) == expected
            listed = await (await session.get(url + "index.json")).json()
            assert [(item["name"], item["sha256"], item["size"]) for item in listed] == [
                (name, expected[name], len(data)) for name, data in contents.items()
            ]
            for name, data in contents.items():
                assert await (await session.get(url + name)).read() == data
                part = await session.get(url + name, headers={"Range": "bytes=10-19"})
                assert part.status == 206 and await part.read() == data[10:20]
            assert "a.msi" in await (await session.get(url)).text()
            for missing in ("nothing.zip", "..%2fpassword", ".a.msi.partial"):
                assert (await session.get(url + missing)).status == 404
        await mirror.close()
        assert sorted(made) == sorted(contents)

    asyncio.run(ask())


def test_what_the_lab_serves_is_the_same_each_time() -> None:
    pytest.importorskip("winlab.windows.msi")
    pytest.importorskip("winlab.windows.python")
    for name, build in artifacts.builders().items():
        first, second = build(), build()
        assert first == second, name
        assert len(first) > 100
