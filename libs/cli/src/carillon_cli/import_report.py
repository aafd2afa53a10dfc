"""What an import shows while it runs and when it is done, and where the lines go that it could not take."""

import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from carillon_cli.import_lines import Result
from carillon_cli.read_lines import SourceLine


class ImportReport:
    """Counts results; invalid lines go to `rejected`, or to stderr where that is None."""

    def __init__(self, name: str, size: int | None, rejected: Path | None) -> None:
        self._name = name
        self._rejected = rejected
        self._rejects: BinaryIO | None = None
        self._console = Console(stderr=True)
        self._started = time.monotonic()
        self._bytes = 0
        self.counts = {"lines": 0, "created": 0, "exists": 0, "invalid": 0}
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task(name, total=size, said="")

    def __enter__(self) -> Self:
        """Show the progress."""
        self._progress.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Show it no more."""
        self._progress.stop()
        if self._rejects is not None:
            self._rejects.close()

    def add(self, line: SourceLine, result: Result) -> None:
        """Take in what became of a line."""
        self._bytes += line.size
        self.counts["lines"] += 1
        if result.status in self.counts:
            self.counts[result.status] += 1
        if result.status == "invalid":
            self._reject(line, result)
        # The bar redraws itself ten times a second; telling it of each line would cost more than the import.
        if self.counts["lines"] % 500 == 0:
            self._progress.update(self._task, completed=self._bytes, said=self._said())

    def summary(self) -> str:
        """Say in one line what was done."""
        said = f"{self._name}: {self._said()}  {time.monotonic() - self._started:.1f} s"
        return f"{said}  rejected: {self._rejected}" if self._rejects else said

    def _said(self) -> str:
        rate = self.counts["lines"] / max(time.monotonic() - self._started, 0.001)
        counts = "  ".join(f"{count:,} {name}" for name, count in self.counts.items())
        return f"{counts}  {rate:,.0f} lines/s"

    def _reject(self, line: SourceLine, result: Result) -> None:
        if self._rejected is None:
            reasons = "; ".join(f"{error.field} {error.reason}" for error in result.errors)
            self._console.print(
                f"line {line.number}: {reasons}", markup=False, highlight=False, soft_wrap=True
            )
            return
        if self._rejects is None:
            self._rejects = self._rejected.open("wb")
        reject = {
            "line": line.number,
            "errors": result.errors,
            "input": line.text.decode("utf-8", "replace"),
        }
        self._rejects.write(msgspec.json.encode(reject) + b"\n")
