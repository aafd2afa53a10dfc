"""`carillon import FILE`: the users of an NDJSON file, created once however often it is run."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from carillon_cli.cannot import CannotError
from carillon_cli.import_lines import Import
from carillon_cli.import_report import ImportReport
from carillon_cli.options import DEFAULT_API_URL, ApiUrl, Token
from carillon_cli.read_lines import LineReader

STDIN = "-"
EXIT_SOME_INVALID = 1
RETRY_FOR_SECONDS = 60.0


def import_file(
    file: Annotated[str, typer.Argument(help="NDJSON, a user a line; - is stdin.")],
    api_url: ApiUrl = DEFAULT_API_URL,
    token: Token = None,
    rejected: Annotated[
        Path | None, typer.Option(help="Where invalid lines go.", show_default="FILE.rejected.ndjson")
    ] = None,
    retry_for: Annotated[
        float, typer.Option(help="Seconds to go on trying when the API goes away meanwhile.", min=0)
    ] = RETRY_FOR_SECONDS,
) -> None:
    """Create the users that a file describes, a JSON object a line.

    A line is a user as in POST /user, with an e-mail address or a `key` of your own, by which it is known
    again: repeating the import creates nobody twice. Exits 0 when all lines are in, 1 when some are invalid,
    2 when it could not be done.
    """
    if rejected is None and file != STDIN:
        rejected = Path(f"{file}.rejected.ndjson")
    with _opened(file) as (source, size):
        report = ImportReport("stdin" if file == STDIN else file, size, rejected)
        try:
            with report:
                asyncio.run(_run(source, report, api_url, token, retry_for))
        finally:
            sys.stdout.write(report.summary() + "\n")
    if report.counts["invalid"]:
        raise typer.Exit(EXIT_SOME_INVALID)


async def _run(
    source: BinaryIO, report: ImportReport, api_url: str, token: str | None, retry_for: float
) -> None:
    await Import(api_url, token, LineReader(source), report.add, retry_for=retry_for).run()


@contextmanager
def _opened(file: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """Open the file; also give its size if it has one. Raises CannotError."""
    if file == STDIN:
        yield sys.stdin.buffer, None
        return
    path = Path(file)
    try:
        opened, size = path.open("rb"), path.stat().st_size
    except OSError as error:
        raise CannotError(f"cannot read {file}: {error.strerror}") from None
    with opened:
        yield opened, size or None
