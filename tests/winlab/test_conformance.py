"""The gate: what the real PowerShell printed for hundreds of scripts, and what the lab does with them."""

from __future__ import annotations

from pathlib import Path

from winlab.powershell.conformance import run_file

DATA = Path(__file__).parents[1] / "data"


def test_recorded_scripts_do_what_the_real_powershell_did() -> None:
    result = run_file(DATA / "powershell-vectors.json").as_json()
    assert result["wrong_cases"] == []
    assert result["total"]["cases"] > 600
    assert result["total"]["same"] >= 0.95 * result["total"]["cases"], result["topics"]
