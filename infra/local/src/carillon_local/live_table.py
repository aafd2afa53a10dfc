"""The demo's table: live on a terminal, a line a delivery elsewhere."""

from collections.abc import Sequence
from datetime import datetime, time
from types import TracebackType
from typing import Self

from msgspec import Struct
from rich.console import Console
from rich.live import Live
from rich.table import Table

STYLES = {"delivered": "green", "waiting": "dim", "refused": "red"}


class Row(Struct, frozen=True, kw_only=True):
    """One user's line; `lag_ms` and `signature_ok` are None until the webhook has come."""

    name: str
    timezone: str
    local_time: time
    due_at: datetime
    status: str
    lag_ms: float | None = None
    signature_ok: bool | None = None


class LiveTable:
    """Shows rows as they change: on a terminal in place, elsewhere a line for each that was delivered."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=10) if console.is_terminal else None
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        """Start showing."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state on the screen."""
        if self._live is not None:
            self._live.stop()

    def show(self, rows: Sequence[Row]) -> None:
        """Show this state."""
        if self._live is not None:
            self._live.update(as_table(rows))
            return
        for row in rows:
            if row.status != "waiting" and row.name not in self._told:
                self._told.add(row.name)
                self._console.out(as_line(row), highlight=False)


def as_table(rows: Sequence[Row]) -> Table:
    """Return the rows as a table that fits a terminal of 80 columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for title in ("name", "zone", "there", "due (UTC)"):
        table.add_column(title, no_wrap=True)
    table.add_column("status", no_wrap=True, min_width=len("delivered"))
    table.add_column("lag", justify="right", no_wrap=True, min_width=len("1234 ms"))
    table.add_column("signed", no_wrap=True)
    for row in rows:
        table.add_row(*cells(row), style=STYLES.get(row.status))
    return table


def as_line(row: Row) -> str:
    """Return a row as a line of its own."""
    name, zone, there, due, status, lag, signed = cells(row)
    return f"{name:<16}  {zone:<20} {there}  due {due} UTC  {status} {lag:>8} late  signature {signed}"


def cells(row: Row) -> list[str]:
    """Return a row's cells as text."""
    return [
        row.name,
        row.timezone,
        f"{row.local_time}",
        f"{row.due_at:%H:%M:%S}",
        row.status,
        "" if row.lag_ms is None else f"{row.lag_ms:.0f} ms",
        {None: "", True: "ok", False: "BAD"}[row.signature_ok],
    ]
