"""Applies the cases of iis_cases.py, or, by `--data`: undoes them by hand (`by_hand=true`), or takes away what they made (`undo=true`)."""

from pathlib import Path

from pyinfra import host
from pyinfra.operations import server

from pyinfra_iis.operations import iis, windows
from tests.e2e.iis_cases import CASES, certificate_cases

FEATURES = ["Web-Static-Content", "Web-Http-Errors", "Web-Http-Redirect", "Web-Filtering", "Web-Scripting-Tools"]

names = [case.name for case in CASES]
after_pool = names.index("Running pool") + 1
cases = [*CASES[:after_pool], *certificate_cases(Path(host.data.folder)), *CASES[after_pool:]]

if host.data.get("by_hand"):
    for case in cases:
        if case.by_hand:
            # What a person does is over when it is over: a program that fails fails the command.
            lines = "\n".join(
                f"{line}\nif ($LASTEXITCODE) {{ exit $LASTEXITCODE }}" for line in case.by_hand.splitlines()
            )
            server.shell(name=case.name, commands=[f"$ErrorActionPreference = 'Stop'; $LASTEXITCODE = 0\n{lines}"])
elif host.data.get("undo"):
    for case in reversed(cases):
        if case.removed is not None:
            getattr(iis, case.operation)(name=case.name, **case.removed)
else:
    if not host.data.get("no_features"):
        windows.features(name="IIS", server=FEATURES, client=[])
    for case in cases:
        getattr(iis, case.operation)(name=case.name, **case.arguments)
