"""`make bench`: measures on the lab, in counts and ratios, and writes bench/results.json."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

MODULES = ("connector", "deploy", "fleet", "iis_http", "release")


def main() -> None:
    """Run the benchmarks that are named, or all of them, and print their figures."""
    names = sys.argv[1:] or MODULES
    if unknown := [name for name in names if name not in MODULES]:
        sys.exit(f"There is no benchmark {unknown[0]}; there are {', '.join(MODULES)}.")
    results: dict[str, object] = {}
    for name in names:
        results.update(importlib.import_module(f"bench.{name}").run())
    for key, value in results.items():
        print(f"{key:45} {value}")
    Path(__file__).with_name("results.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
