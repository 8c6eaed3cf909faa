"""How facts fail."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """\
from pyinfra_cli.main import main  # prepares gevent
import gevent
import pyinfra_iis.facts
from pyinfra.api.exceptions import PyinfraError
def fail():
    raise PyinfraError("No hosts remaining!")
job = gevent.spawn(fail)
job.join()
print(job.exception)
"""


def test_a_fact_that_cannot_be_read_gives_no_traceback() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("No hosts remaining!\n", "")
