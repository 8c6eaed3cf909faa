"""A page for visitors while an application is worked on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyinfra.api import DeployError
from pyinfra.context import ctx_state

from pyinfra_iis.deploys.operate.ask import running_settings
from pyinfra_iis.deploys.operate.report import Actions, report
from pyinfra_iis.operations import operate

PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Maintenance</title>
<style>body { font: 1.2em/1.5 system-ui, sans-serif; max-width: 32em; margin: 20vh auto; padding: 0 1em; text-align: center }</style>
<h1>We will be back soon</h1>
<p>This site is being worked on. Please try again in a few minutes.</p>
</html>
"""
_SWITCH = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
_LARGEST = 1 << 20


def maintenance(switch: Any, retry_after: int = 600, page: str = "", **options: Any) -> None:
    """Show visitors a page with status 503 instead of the application (`on`), or the application again (`off`); deploys do not end it.

    Args:
        switch: `on` or `off`.
        retry_after: seconds after which clients may ask again, 1 to 86400.
        page: a file of HTML on the controlling machine, in UTF-8; default a plain page.
        options: as for `running_settings`.

    Raises:
        DeployError: settings or arguments that cannot be used.
    """
    settings = running_settings(options)
    word = str(switch).strip().lower()
    if word not in _SWITCH:
        raise DeployError("Say --data maintenance=on or --data maintenance=off.")
    if isinstance(retry_after, bool) or not isinstance(retry_after, int) or not 1 <= retry_after <= 86400:
        raise DeployError(f"retry_after is {retry_after}; say seconds, 1 to 86400.")
    answers = report("Maintenance", Actions)
    made = operate.maintenance(
        name=f"Maintenance of {settings.app} {word if word in ('on', 'off') else ('off', 'on')[_SWITCH[word]]}",
        settings=settings,
        on=_SWITCH[word],
        retry_after=retry_after,
        page=_read(page) if page else PAGE,
        tell=answers.add_later,
    )
    answers.attach(made)


def _read(page: str) -> str:
    path = Path(ctx_state.get().cwd or ".") / Path(page).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DeployError(f"The page {path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    if len(text.encode()) > _LARGEST:
        raise DeployError(f"The page {path} is larger than 1 MiB; put its pictures elsewhere.")
    return text
