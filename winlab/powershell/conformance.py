"""Runs recorded cases against the lab: scripts with what the real PowerShell printed, scripts that it accepts or rejects, IIS edits.

A case is *same*, *refused* (the lab says by name what it lacks) or *wrong*. Cases for another system are *skipped* and count apart.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from winlab.powershell.errors import ErrorRecord

SAME, REFUSED, WRONG, SKIPPED = "same", "refused", "wrong", "skipped"
_CASE_SECONDS = 60.0
_SCRIPT = r"C:\conformance\case.ps1"


@dataclass
class Outcome:
    """How one case went. `detail` says what differs, or what was refused."""

    name: str
    topic: str
    verdict: str
    detail: str = ""


@dataclass
class Result:
    """Every case of a file."""

    outcomes: list[Outcome] = field(default_factory=list)

    def counts(self, topic: str | None = None) -> dict[str, int]:
        """Cases by verdict, of one topic or of all."""
        own = [outcome for outcome in self.outcomes if topic is None or outcome.topic == topic]
        counts = {"cases": len([outcome for outcome in own if outcome.verdict != SKIPPED])}
        for verdict in (SAME, REFUSED, WRONG, SKIPPED):
            counts[verdict] = sum(outcome.verdict == verdict for outcome in own)
        return counts

    @property
    def topics(self) -> list[str]:
        return list(dict.fromkeys(outcome.topic for outcome in self.outcomes))

    @property
    def wrong_cases(self) -> list[str]:
        return [outcome.name for outcome in self.outcomes if outcome.verdict == WRONG]

    def as_json(self) -> dict[str, Any]:
        return {
            "total": self.counts(),
            "topics": {topic: self.counts(topic) for topic in self.topics},
            "wrong_cases": self.wrong_cases,
        }

    def as_table(self) -> str:
        """A line per topic and one for all."""
        width = max([len(topic) for topic in self.topics] + [len("total")])
        heads = ("cases", SAME, REFUSED, WRONG, SKIPPED)
        lines = [" " * width + "".join(f"{head:>9}" for head in heads) + "   same"]
        for topic in [*self.topics, None]:
            counts = self.counts(topic)
            share = counts[SAME] / counts["cases"] if counts["cases"] else 0.0
            numbers = "".join(f"{counts[head]:>9}" for head in heads)
            lines.append(f"{(topic or 'total').ljust(width)}{numbers}{share:>7.1%}")
        return "\n".join(lines)


def run_file(path: str | Path, jobs: int | None = None, names: Iterable[str] | None = None) -> Result:
    """Run every case of a file (or those named).

    Args:
        path: a file of recorded scripts, of scripts to parse, or of IIS edits; its keys tell which.
        jobs: processes to use; the machine's cores by default.
    """
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    cases = data["cases"]
    if names is not None:
        wanted = set(names)
        cases = [case for case in cases if case.get("name") in wanted]
    if "configs" in data:
        shared = {key: value for key, value in data.items() if key != "cases"}
        return Result(_in_parallel(cases, jobs or os.cpu_count() or 1, partial(run_iis_chunk, shared)))
    if any("valid" in case for case in cases):
        return Result([_syntax_case(index, case) for index, case in enumerate(cases)])
    return Result(_in_parallel(cases, jobs or os.cpu_count() or 1, run_chunk))


# --- scripts that parse or not ------------------------------------------------------------------------------------------------


def _syntax_case(index: int, case: dict[str, Any]) -> Outcome:
    from winlab.powershell.parser import parse

    errors = parse(case["script"])[2]
    name = case.get("name") or f"{case.get('from', 'case')}#{index}"
    topic = "accepted" if case["valid"] else "rejected"
    if bool(errors) is not case["valid"]:
        return Outcome(name, topic, SAME)
    detail = f"the lab reports {errors[0].error_id}" if errors else "the lab accepts it"
    return Outcome(name, topic, WRONG, detail)


# --- scripts with their output --------------------------------------------------------------------------------------------------


def _in_parallel(
    cases: list[dict[str, Any]], jobs: int, run: Callable[[list[dict[str, Any]]], list[Outcome]]
) -> list[Outcome]:
    jobs = min(jobs, max(len(cases) // 8, 1))
    chunks = [cases[index::jobs] for index in range(jobs)]
    if jobs == 1:
        found = run(cases)
    else:
        with ProcessPoolExecutor(jobs) as pool:
            found = [outcome for outcomes in pool.map(run, chunks) for outcome in outcomes]
    order = {case["name"]: index for index, case in enumerate(cases)}
    return sorted(found, key=lambda outcome: order[outcome.name])


def run_chunk(cases: list[dict[str, Any]]) -> list[Outcome]:
    """Run cases one after the other on one scratch server."""
    from winlab.windows.machine import Machine

    with tempfile.TemporaryDirectory(prefix="winlab-") as folder:
        machine = Machine("SCRATCH", "2016", "127.0.0.1", Path(folder))
        machine.fs.mkdir(r"C:\conformance", parents=True)
        outcomes = [_vector(machine, index, case) for index, case in enumerate(cases)]
        machine.shutdown()
    return outcomes


def _vector(machine: Any, index: int, case: dict[str, Any]) -> Outcome:
    if case.get("platform") == "linux":
        return Outcome(case["name"], case["topic"], SKIPPED, "needs programs of another system")
    data = b"\xef\xbb\xbf" + case["script"].encode("utf-8")
    machine.fs.write_bytes(_SCRIPT, data)
    run = Run(machine, rf"C:\conformance\{index}f", f"-File {_SCRIPT}", case.get("stdin"))
    differences = _compare(case, run)
    if "exit_encoded" in case and not run.refusal:
        text = base64.b64encode(case["script"].encode("utf-16-le")).decode("ascii")
        encoded = Run(machine, rf"C:\conformance\{index}e", f"-EncodedCommand {text}", case.get("stdin"))
        run.refusal = run.refusal or encoded.refusal
        if encoded.exit_code != case["exit_encoded"]:
            differences.append(f"exit with -EncodedCommand {encoded.exit_code}, not {case['exit_encoded']}")
    if run.refusal:
        return Outcome(case["name"], case["topic"], REFUSED, run.refusal)
    if differences:
        return Outcome(case["name"], case["topic"], WRONG, "; ".join(differences))
    return Outcome(case["name"], case["topic"], SAME)


class Run:
    """One powershell.exe on a scratch server, in a new empty folder that is TEMP as well. The recorder of its host."""

    def __init__(self, machine: Any, folder: str, arguments: str, stdin: str | None) -> None:
        from winlab.windows.pipes import Pipe
        from winlab.windows.processes import Console

        self.errors: list[ErrorRecord] = []
        self.end: ErrorRecord | None = None
        self.refusal = ""
        machine.fs.mkdir(folder, parents=True)
        user = machine.accounts.token("Administrator")
        env = machine.environment_for(user)
        env["TEMP"] = env["TMP"] = folder
        machine.powershell_recorder = self
        pipes = [Pipe(None), Pipe(None), Pipe(None)]
        if stdin is not None:
            pipes[0].write(stdin.encode("utf-8"))
        pipes[0].close_write()
        process = machine.processes.start(
            f"powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass {arguments}",
            cwd=folder,
            env=env,
            user=user,
            stdin=pipes[0],
            stdout=pipes[1],
            stderr=pipes[2],
            console=Console(65001),
        )
        self.exit_code = process.wait(_CASE_SECONDS)
        if self.exit_code is None:
            process.kill(tree=True)
        self.stdout = pipes[1].read_available().decode("utf-8", "replace")
        self.stderr = pipes[2].read_available().decode("utf-8", "replace")

    @property
    def lines(self) -> list[str]:
        text = self.stdout.replace("\r\n", "\n")
        return text[:-1].split("\n") if text.endswith("\n") else text.split("\n") if text else []

    # the host's recorder

    def error(self, record: ErrorRecord) -> None:
        self.errors.append(record)

    def ended_by(self, record: ErrorRecord) -> None:
        self.end = record

    def refused(self, construct: str) -> None:
        self.refusal = self.refusal or construct


def _identity(record: ErrorRecord | None) -> tuple[str, str] | None:
    if record is None:
        return None
    return record.fully_qualified_error_id, record.exception.type_name


def _expected(error: dict[str, Any] | None) -> tuple[str, str] | None:
    return None if error is None else (error["id"], error["type"])


def _compare(case: dict[str, Any], run: Run) -> list[str]:
    found: list[str] = []
    if run.lines != case["stdout"]:
        found.append(_first_difference(case["stdout"], run.lines))
    if run.exit_code != case["exit"]:
        found.append("no end" if run.exit_code is None else f"exit {run.exit_code}, not {case['exit']}")
    if _identity(run.end) != _expected(case["error"]):
        found.append(f"ended by {_identity(run.end)}, not {_expected(case['error'])}")
    errors = [_identity(record) for record in run.errors]
    expected = [_expected(error) for error in case["errors"]]
    if errors != expected:
        found.append(f"errors {errors}, not {expected}")
    if found and "the lab failed" in run.stderr:
        found.append(run.stderr.strip().splitlines()[-1])
    return found


def _first_difference(expected: list[str], actual: list[str]) -> str:
    for number, (want, have) in enumerate(zip(expected, actual, strict=False), 1):
        if want != have:
            return f"line {number} is {have!r}, not {want!r}"
    if len(actual) < len(expected):
        return f"line {len(actual) + 1} is missing: {expected[len(actual)]!r}"
    return f"line {len(expected) + 1} is too many: {actual[len(expected)]!r}"


# --- edits of IIS configuration --------------------------------------------------------------------------------------------------


def run_iis_chunk(document: dict[str, Any], cases: list[dict[str, Any]]) -> list[Outcome]:
    """Run edits of IIS configuration, each on a scratch server of its own."""
    from winlab.iis.conformance import run_case

    found = [run_case(case, document) for case in cases]
    return [Outcome(one.name, one.topic, one.status, "; ".join(one.details)) for one in found]


# --- the command ------------------------------------------------------------------------------------------------------------------


def main(argv: list[str] | None = None, write: Callable[[str], Any] = print) -> int:
    """`winlab conformance FILE [--json] [--wrong] [--refused] [--case NAME] [--jobs N]`; 0 when nothing was wrong."""
    parser = argparse.ArgumentParser(
        prog="winlab conformance", description="Run recorded cases against the lab and count what agrees."
    )
    parser.add_argument("file", metavar="FILE", help="recorded cases (JSON)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--wrong", action="store_true", help="list wrong cases with what differs")
    parser.add_argument("--refused", action="store_true", help="list refused cases with what is lacking")
    parser.add_argument("--case", action="append", metavar="NAME", help="only this case (may be repeated)")
    parser.add_argument("--jobs", type=int, metavar="N", help="processes to use (default: one per core)")
    options = parser.parse_args(argv)
    if not Path(options.file).is_file():
        sys.stderr.write(f"winlab: there is no file {options.file}.\n")
        return 2
    threading.stack_size(0)
    result = run_file(options.file, options.jobs, options.case)
    if options.json:
        write(json.dumps(result.as_json(), indent=2))
    else:
        write(result.as_table())
        for wanted, verdict in ((options.wrong, WRONG), (options.refused, REFUSED)):
            if wanted:
                for outcome in result.outcomes:
                    if outcome.verdict == verdict:
                        write(f"{verdict}: {outcome.name}: {outcome.detail}")
    return 1 if result.wrong_cases else 0


if __name__ == "__main__":
    sys.exit(main())
