"""Scripts run in an evaluator without a server; what they put out comes back as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from winlab.powershell.errors import (
    BreakException,
    ContinueException,
    ExitException,
    LabUnsupported,
    LimitExceeded,
    NetException,
    TerminatingError,
)
from winlab.powershell.runtime.commands import Streams, discard
from winlab.powershell.runtime.conversion import is_enumerable, iterate, to_string
from winlab.powershell.runtime.engine import Limits, Runtime, run_in_thread


@dataclass
class Result:
    """How a script went: its output as lines, its error records by id, what ended it."""

    lines: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    ended_by: str | None = None
    refused: str | None = None
    exit_code: Any = None
    limit: str | None = None

    @property
    def text(self) -> str:
        return "|".join(self.lines)


def _show(value: Any, into: list[str]) -> None:
    if is_enumerable(value):
        for item in iterate(value):
            _show(item, into)
    elif value is not None:
        into.append(to_string(value))


def run_script(script: str, limits: Limits | None = None) -> Result:
    """Run a script in a fresh runspace on a thread with a big stack."""
    result = Result()

    def body() -> None:
        runtime = Runtime(limits=limits)
        runtime.streams = Streams(
            lambda record: result.errors.append(record.fully_qualified_error_id),
            lambda record: result.warnings.append(record.message),
            discard,
            discard,
            discard,
        )
        try:
            runtime.run_block(runtime.parse(script), lambda value: _show(value, result.lines))
        except TerminatingError as error:
            result.ended_by = error.record.fully_qualified_error_id
        except NetException as error:
            result.ended_by = error.error_id
        except LabUnsupported as unsupported:
            result.refused = unsupported.message
        except LimitExceeded as limit:
            result.limit = limit.message
        except ExitException as leave:
            result.exit_code = leave.code
        except (BreakException, ContinueException):
            pass

    thread = run_in_thread(body, "test")
    thread.join(60)
    assert not thread.is_alive(), "the script did not end"
    return result


@pytest.fixture
def run() -> Callable[..., Result]:
    return run_script
