"""`make bench`: measures on the lab, in counts and ratios, and writes bench/results.json; benchmarks that are named replace only their own figures there."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

MODULES = ("connector", "deploy", "fleet", "iis_http", "release", "rollout")
RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    """Run the benchmarks that are named, or all of them, and print their figures."""
    names = sys.argv[1:] or MODULES
    if unknown := [name for name in names if name not in MODULES]:
        sys.exit(f"There is no benchmark {unknown[0]}; there are {', '.join(MODULES)}.")
    results: dict[str, object] = {}
    failed = []
    for name in names:
        try:
            results.update(importlib.import_module(f"bench.{name}").run())
        except Exception as error:  # the others' figures are worth having all the same
            failed.append(f"The benchmark {name} failed: {error}")
    for key, value in results.items():
        print(f"{key:45} {value}")
    kept = json.loads(RESULTS.read_text()) if sys.argv[1:] and RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(dict(sorted({**kept, **results}.items())), indent=2) + "\n")
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
