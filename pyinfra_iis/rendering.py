"""The templates of the package, `templates/` in a checkout."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2


def render(template: str, /, **context: Any) -> str:
    """Fill in a template; names that it uses and does not get are an error.

    Args:
        template: its file name; what ends in `.config.j2` or `.html.j2` is XML or HTML, whose special characters are escaped.
        context: what it may use.
    """
    return _environment().get_template(template).render(**context)


@cache
def _environment() -> jinja2.Environment:
    packaged = Path(str(resources.files("pyinfra_iis"))) / "templates"
    checkout = packaged.parent.parent / "templates"
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(packaged if packaged.is_dir() else checkout),
        undefined=jinja2.StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith((".config.j2", ".html.j2")),
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
