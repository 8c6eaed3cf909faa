"""Writes what is made from elsewhere: settings.md's tables from the settings' model, the table of failures/index.md from its pages: python -m docs.reference"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pyinfra_iis import settings
from pyinfra_iis.diagnosis.rules import RULES

FAILURES = Path(__file__).parent / "failures"
GROUPS = {
    "server": "The server",
    "bindings": "Bindings",
    "pool": "The application pool",
    "configuration": "Configuration",
    "start": "The process does not start",
    "application": "The application answers wrongly",
}
"""Modules of rules, in the order of a request's way, as headings."""
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


def failures() -> str:
    """The table of failures: what you see, and the page about it, with what the diagnosis prints.

    Raises:
        ValueError: a page that lacks one of both.
    """
    parts = []
    for module, title in GROUPS.items():
        names = [rule.name for rule in RULES if rule.function.__module__.rpartition(".")[2] == module]
        parts += [f"## {title}\n", "| you see | page | it prints |", "|---|---|---|"]
        parts += [
            f"| {seen} | [{name}]({name}.md) | {printed} |" for name in names for seen, printed in [failure(name)]
        ]
        parts.append("")
    return "\n".join(parts)


def failure(name: str) -> tuple[str, str]:
    """What one sees of a failure, and the sentence that the diagnosis prints, as they stand on its page.

    Raises:
        ValueError: the page lacks one of both.
    """
    text = (FAILURES / f"{name}.md").read_text(encoding="utf-8")
    found = re.search(r"^# \S+\n\n> (.+)\n\n\*\*What you see\.\*\* (.+)$", text, re.MULTILINE)
    if not found:
        raise ValueError(f"docs/failures/{name}.md does not begin with its name, what is printed and what one sees.")
    return found[2].replace("|", "\\|"), found[1].replace("|", "\\|").replace("*", "\\*")


def page(text: str) -> str:
    """The page of settings with its generated part made anew."""
    return between(text, render())


def between(text: str, generated: str) -> str:
    """A page with other text between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{generated}\n{END}{after}"


def main() -> int:
    """Write the pages."""
    index = FAILURES / "index.md"
    index.write_text(between(index.read_text(encoding="utf-8"), failures()), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
