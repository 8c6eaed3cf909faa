"""Options of pip whose values hold a password: they travel as environment variables, which nobody is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_CREDENTIALS = re.compile(r"://[^/@\s]+@")
_VARIABLES = {
    "-i": "PIP_INDEX_URL",
    "--index-url": "PIP_INDEX_URL",
    "--extra-index-url": "PIP_EXTRA_INDEX_URL",
    "-f": "PIP_FIND_LINKS",
    "--find-links": "PIP_FIND_LINKS",
    "--proxy": "PIP_PROXY",
}

_VARIABLES_OF_UV = {"--proxy": "ALL_PROXY", "--cert": "SSL_CERT_FILE"}
_OF_UV = frozenset({*_VARIABLES, "--no-index", "--pre", "--trusted-host", "--no-binary", "-c", "--constraint"}) - {
    "--proxy"
}
_WITH_VALUE = frozenset(
    {*_VARIABLES, *_VARIABLES_OF_UV, "--trusted-host", "--no-binary", "--only-binary", "-c", "--constraint"}
    | {"--client-cert", "--timeout", "--retries", "--use-feature", "--progress-bar"}
)

OF_FILES = frozenset({*_VARIABLES, "--no-index", "--pre", "--trusted-host"}) - {"--proxy"}
"""Options that may stand in a requirements file, and say where packages come from and which of them count."""
_INDEX = ("-i", "--index-url", "--no-index")


def split(options: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Options that can be seen, and environment variables of pip in place of the others.

    Args:
        options: of pip, such as `["--index-url", "https://me:secret@mirror.example/simple", "--pre"]`.
    """
    found = list(pairs(options))
    # An option goes before the variable, so all its values go the same way.
    secret = {_VARIABLES[name] for name, value in found if name in _VARIABLES and value and _CREDENTIALS.search(value)}
    plain: list[str] = []
    variables: dict[str, str] = {}
    for name, value in found:
        variable = _VARIABLES.get(name)
        if variable in secret and value is not None:
            variables[variable] = f"{variables[variable]} {value}" if variable in variables else value
        else:
            plain += [name] if value is None else [name, value]
    return plain, variables


def pairs(options: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Options, with their values where they are known to have one."""
    rest = iter(options)
    for option in rest:
        name, equals, value = option.partition("=")
        if equals and name in _WITH_VALUE:
            yield name, value
        elif option in _WITH_VALUE:
            yield option, next(rest, None)
        elif option[:2] in ("-i", "-f"):
            yield option[:2], option[2:]
        else:
            yield option, None


def with_files(options: Sequence[str], of_files: Sequence[str]) -> list[str]:
    """Options together with those of requirements files, as pip takes them: an index that a file names comes in the place of the given one."""
    named = {name for name, _ in pairs(of_files)}
    kept = [
        word
        for name, value in pairs(options)
        if name not in _INDEX or named.isdisjoint(_INDEX)
        for word in ([name] if value is None else [name, value])
    ]
    # The last file that names an index is the one that counts.
    last = dict(pairs([word for name, value in pairs(of_files) if name in _INDEX for word in (name, value) if word]))
    others = [word for name, value in pairs(of_files) if name not in _INDEX for word in (name, value) if word]
    index = last.get("--index-url") or last.get("-i")
    return [*kept, *(["--index-url", index] if index else []), *["--no-index"] * ("--no-index" in last), *others]


def for_uv(options: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The same for `uv pip compile`: what concerns where packages come from and which of them count; uv knows no others of pip."""
    plain: list[str] = []
    variables: dict[str, str] = {}
    visible, hidden = split(options)
    for name, value in pairs(visible):
        if name in _VARIABLES_OF_UV and value is not None:
            variables[_VARIABLES_OF_UV[name]] = value
        elif name in _OF_UV:
            plain += [name] if value is None else [name, value]
    for name, value in hidden.items():
        if name == "PIP_PROXY":
            variables["ALL_PROXY"] = value
        else:
            variables[name.replace("PIP_", "UV_")] = value.replace(" ", ",") if name == "PIP_FIND_LINKS" else value
    return plain, variables
