"""`make bench`: measures on the lab, in counts and ratios, and writes bench/results.json."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

MODULES = ("connector", "deploy", "iis_http", "release")


def main() -> None:
    """Run every benchmark there is and print its figures."""
    results: dict[str, object] = {}
    for name in MODULES:
        results.update(importlib.import_module(f"bench.{name}").run())
    for key, value in results.items():
        print(f"{key:45} {value}")
    Path(__file__).with_name("results.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
