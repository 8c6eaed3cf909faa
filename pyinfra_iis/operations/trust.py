"""What is told of the certificate that a site sends: browsers may warn visitors of it, although the site works."""

from __future__ import annotations

import json
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from pyinfra import logger
from pyinfra.api import Host
from pyinfra.api.output import format_text
from pyinfra.connectors.util import CommandOutput

_told: WeakKeyDictionary[Host, set[str]] = WeakKeyDictionary()


def tell_faults(on: Host, site: str, faults: Sequence[str]) -> None:
    """Print what is wrong with the certificate that a site sends, once in a run.

    Args:
        on: the host.
        site: the site's name.
        faults: what is wrong, as the fact `Health` words it; nothing is printed where there is nothing.
    """
    sentence = (
        f"The certificate that {site} sends {' and '.join(faults)}; the site works, but browsers may warn visitors."
    )
    if faults and sentence not in _told.setdefault(on, set()):
        _told[on].add(sentence)
        logger.warning(f"{on.print_prefix}{format_text(sentence, 'yellow')}")


def tell_sent(on: Host, site: str, output: CommandOutput) -> None:
    """Print what is wrong with the certificate that a script got which has asked a site: `certificate` of its result.

    Args:
        on: the host.
        site: the site's name.
        output: what the script printed, its result last.
    """
    for line in output.stdout_lines[-1:]:
        tell_faults(on, site, json.loads(line).get("certificate") or ())
