"""Applies the cases of windows_cases.py, or takes away what they made: `--data undo=true`."""

from pyinfra import host

from pyinfra_iis.operations import windows
from tests.e2e.windows_cases import CASES, downloads

chosen = host.data.cases.split(",")
for case in [*CASES, *downloads(host.data.artifacts, {host.data.artifact: host.data.artifact_sum})]:
    if case.name not in chosen:
        continue
    arguments = case.removed if host.data.get("undo") else case.arguments
    if arguments is not None:
        getattr(windows, case.operation)(name=case.name, **arguments)
