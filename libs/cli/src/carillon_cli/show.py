"""What there is to show, as a table for people or as JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

COLOURS = {
    "delivered": "green",
    "redriven": "green",
    "failed": "red",
    "missed": "red",
    "open": "red",
    "pending": "yellow",
    "redriving": "yellow",
    "+": "green",
    "~": "yellow",
    "-": "red",
}
# Where nobody looks, nothing need fit: a pipe gets whole lines.
WIDE = 400


def show_json(answer: object) -> None:
    """Print an answer as it came."""
    print(json.dumps(answer, indent=2, ensure_ascii=False))  # noqa: T201 (this is what was asked for)


def show_table(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Print `rows`, of each what `columns` name, under their headings."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in columns))
    _console().print(table)


def show_fields(answer: Mapping[str, Any], fields: Mapping[str, str]) -> None:
    """Print some of one answer, a line each."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, heading in fields.items():
        table.add_row(heading, _cell(answer[name]))
    _console().print(table)


def _cell(value: object) -> str:
    text = "" if value is None else str(value).replace("[", "\\[")
    return f"[{COLOURS[text]}]{text}[/]" if text in COLOURS else text


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDE)
