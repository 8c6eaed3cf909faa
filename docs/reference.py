"""Writes the tables of settings.md from the settings' model: python -m docs.reference"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pyinfra_iis import settings

PAGE = Path(__file__).parent / "settings.md"
BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"
PARTS: tuple[type[BaseModel], ...] = (
    settings.Binding,
    settings.Certificate,
    settings.Download,
    settings.Python,
    settings.Handler,
    settings.Health,
    settings.Rollout,
)


def attributes(model: type[BaseModel]) -> dict[str, str]:
    """What a model's docstring says of each attribute, on one line."""
    text = inspect.getdoc(model) or ""
    _, _, listed = text.partition("Attributes:\n")
    found: dict[str, str] = {}
    name = ""
    for line in listed.splitlines():
        if match := re.fullmatch(r" {4}(\w+): (.*)", line):
            name, found[match[1]] = match[1], match[2]
        elif line.startswith(" " * 8) and name:
            found[name] += " " + line.strip()
    return found


def heading(model: type[BaseModel]) -> str:
    """The first paragraph of a model's docstring."""
    return " ".join((inspect.getdoc(model) or "").partition("\n\nAttributes:")[0].split())


def table(model: type[BaseModel], without: type[BaseModel] | None = None) -> str:
    """A table of a model's fields.

    Args:
        model: the model.
        without: a base whose fields stand in another table, unless the docstring says something new of them.

    Raises:
        KeyError: a field that the docstring does not explain.
    """
    said = attributes(model)
    for base in model.__mro__[1:]:
        if issubclass(base, BaseModel) and base is not without:
            said = {**attributes(base), **said}
    names = [name for name in model.model_fields if name in said or without is None or name not in without.model_fields]
    rows = [f"| `{name}` | {default(model.model_fields[name])} | {sentence(said[name])} |" for name in names]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows]) + "\n"


def default(field: FieldInfo) -> str:
    """A field's default as a user would write it; empty when there is none worth saying."""
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None or value in ("", (), {}):
        return ""
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple):
        return f"`{[str(item) for item in value]}`"
    return f"`{value}`"


def sentence(text: str) -> str:
    """A docstring's phrase as a cell."""
    text = text.replace("|", "\\|").rstrip(".")
    return text[:1].upper() + text[1:] + "."


def render() -> str:
    """Everything between the marks."""
    parts = [
        "## Every application\n",
        "Write `django_` or `web_` before each key.\n",
        table(settings.WebSettings),
        "## Django's own\n",
        "Keys that only `django_*` has, and what is different there.\n",
        table(settings.DjangoSettings, without=settings.WebSettings),
    ]
    for part in PARTS:
        parts += [f"## {part.__name__}\n", f"{heading(part)}\n", table(part)]
    return "\n".join(parts)


def page(text: str) -> str:
    """The page with its generated part made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{render()}\n{END}{after}"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
