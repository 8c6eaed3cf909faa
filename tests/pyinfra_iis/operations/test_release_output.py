"""What is shown of what the server's Python printed."""

from __future__ import annotations

from pyinfra.connectors.util import CommandOutput, OutputLine

from pyinfra_iis.operations.release import without_tracebacks

PIP = """\
ERROR: Exception:
Traceback (most recent call last):
  File "C:\\shop\\venvs\\a.partial\\Lib\\site-packages\\pip\\_vendor\\urllib3\\response.py", line 438, in _error_catcher
    yield
OSError: [Errno 28] No space left on device

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "C:\\shop\\venvs\\a.partial\\Lib\\site-packages\\pip\\_internal\\cli\\base_command.py", line 160, in exc_logging_wrapper
    status = run_func(*args)
pip._vendor.urllib3.exceptions.ProtocolError: ("Connection broken: OSError(28, 'No space left on device')",)
python.exe -m pip --no-input install --quiet Django failed with exit code 2."""


def shown(text: str) -> list[str]:
    return without_tracebacks(CommandOutput([OutputLine("stderr", line) for line in text.splitlines()])).stderr_lines


def test_of_pips_own_failures_what_is_wrong_is_shown() -> None:
    assert [line for line in shown(PIP) if line] == [
        "ERROR: Exception:",
        "OSError: [Errno 28] No space left on device",
        "pip._vendor.urllib3.exceptions.ProtocolError: (\"Connection broken: OSError(28, 'No space left on device')\",)",
        "python.exe -m pip --no-input install --quiet Django failed with exit code 2.",
    ]


def test_of_the_applications_failures_all_is_shown() -> None:
    text = PIP.replace("-m pip --no-input install --quiet Django", "manage.py check --deploy")
    assert shown(text) == text.splitlines()
