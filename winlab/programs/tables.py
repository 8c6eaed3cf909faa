"""Output of the programs that take /FO TABLE, LIST or CSV."""

from __future__ import annotations

from collections.abc import Sequence


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: frozenset[int] = frozenset(),
    show_headers: bool = True,
    widths: Sequence[int] | None = None,
) -> str:
    """Columns as wide as their longest text, a line of equal signs below the headers. right: columns that are set to the right."""
    sizes = list(
        widths
        or [
            max(len(header), *(len(row[i]) for row in rows)) if rows else len(header)
            for i, header in enumerate(headers)
        ]
    )

    def line(cells: Sequence[str]) -> str:
        parts = [
            cell[:size].rjust(size) if i in right else cell[:size].ljust(size)
            for i, (cell, size) in enumerate(zip(cells, sizes, strict=True))
        ]
        return " ".join(parts)

    lines = [line(headers), " ".join("=" * size for size in sizes)] if show_headers else []
    return "\n".join([*lines, *(line(row) for row in rows)]) + "\n"


def listing(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """`Header: value` lines, a blank line between records."""
    width = max(len(header) for header in headers) + 1
    return "\n".join(
        "".join(f"{header + ':':<{width}} {cell}\n" for header, cell in zip(headers, row, strict=True)) for row in rows
    )


def csv(headers: Sequence[str], rows: Sequence[Sequence[str]], show_headers: bool = True) -> str:
    """Every field in quotes."""
    lines = [headers, *rows] if show_headers else list(rows)
    return "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in line) + "\n" for line in lines)


def formatted(
    kind: str,
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    show_headers: bool = True,
    right: frozenset[int] = frozenset(),
    widths: Sequence[int] | None = None,
) -> str:
    """kind: table, list or csv."""
    if kind == "csv":
        return csv(headers, rows, show_headers)
    if kind == "list":
        return listing(headers, rows)
    return table(headers, rows, right, show_headers, widths)
