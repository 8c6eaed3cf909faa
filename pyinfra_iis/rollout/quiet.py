"""Fewer lines in pyinfra's log."""

from __future__ import annotations

import logging
from typing import ClassVar

from pyinfra import logger
from pyinfra.api import Host
from pyinfra.api.output import format_text


def hush(host: Host) -> None:
    """pyinfra says of each host that has no turn in a wave that nothing changes there; for a fleet that is hosts times waves."""
    _Hush.expect(f"{host.print_prefix}{format_text('No changes', 'cyan')}")


def hush_error(host: Host) -> None:
    """The same for an error that is told otherwise."""
    _Hush.expect(f"{host.print_prefix}{format_text('Error: ', 'red')}executed 0 commands")


class _Hush(logging.Filter):
    """Drops log lines that are expected, each once."""

    expected: ClassVar[dict[str, int]] = {}

    @classmethod
    def expect(cls, line: str) -> None:
        if not any(isinstance(item, cls) for item in logger.filters):
            logger.addFilter(cls())
        cls.expected[line] = cls.expected.get(line, 0) + 1

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, str) and self.expected.get(record.msg):
            self.expected[record.msg] -= 1
            return False
        return True
