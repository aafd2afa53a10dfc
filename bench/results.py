"""The results of a run: as a table to read and as a file to keep."""

from pathlib import Path

import msgspec
from msgspec import Struct
from rich.table import Table

from bench.conditions import Conditions
from bench.figures import Figure, Report


class Results(Struct, frozen=True, kw_only=True):
    """The reports of the benches that were run, by name."""

    conditions: Conditions
    benches: dict[str, Report]


def table(results: Results) -> Table:
    """Return all figures in one table."""
    under = results.conditions
    title = (
        f"{under.cores} cores, load {under.load:g} before · PostgreSQL {under.postgres} · "
        f"Python {under.python} · {under.engine}{' · quick' if under.quick else ''}"
    )
    shown = Table(title=title, title_justify="left")
    shown.add_column("what")
    for name in ("Carillon", "peer", "ratio (range)"):
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("goal", no_wrap=True)
    shown.add_column("beside; note")
    for bench, report in results.benches.items():
        shown.add_section()
        shown.add_row(f"[bold]{bench}[/bold]", "", "", "", "", sizes(report))
        for figure in report.figures:
            shown.add_row(*row(figure))
    return shown


def row(figure: Figure) -> list[str]:
    """Return a figure's cells."""
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    if figure.ratio_range is not None:
        ratio += f" ({figure.ratio_range[0]:.2f}-{figure.ratio_range[1]:.2f})"
    return [
        f"{figure.what}, {figure.unit}",
        number(figure.carillon),
        "" if figure.peer_value is None else number(figure.peer_value),
        ratio,
        figure.goal or "",
        "; ".join(filter(None, [figure.peer, figure.note])),
    ]


def number(value: float) -> str:
    """Return a figure as text, thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def sizes(report: Report) -> str:
    """Return what a bench went over."""
    return ", ".join(f"{name} {size:,}" for name, size in report.sizes.items())


def write(results: Results, file: Path) -> None:
    """Write the results as JSON, in the same order every time, so that two runs can be compared as text."""
    text = msgspec.json.format(msgspec.json.encode(results), indent=2)
    file.write_bytes(text + b"\n")
