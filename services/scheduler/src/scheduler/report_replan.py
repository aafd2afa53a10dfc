"""`python -m scheduler replan`: plans again under this release's tz database, and tells what moved."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
from domain.zones import TZ_DATABASE_VERSION
from messaging.topology import load_topology
from runtime.database import open_pool
from runtime.logs import configure_logs
from runtime.settings import ServiceSettings, SettingsError, load_settings
from runtime.stopping import describe
from runtime.waiting import StartFailedError

from scheduler.replan import Replanned, replan

EXIT_FAILED = 1
EXIT_BAD_SETTINGS = 2


class Report:
    """What was planned again, a line for each that moved, and the totals."""

    def __init__(self, *, dry_run: bool) -> None:
        self._dry_run = dry_run
        self._planned = 0
        self._moved: Counter[str] = Counter()
        # Every pass meets them again.
        self.refused: dict[UUID, str] = {}

    def lines(self, batch: Sequence[Replanned]) -> Iterator[str]:
        """Count a batch, and give a line for each that moved or cannot be planned."""
        for one in batch:
            if one.refused is None:
                self._planned += 1
                if one.moved:
                    self._moved[one.timezone] += 1
                    yield f"{one.occasion_id}  {one.timezone}  {utc(one.was_due_at)} → {utc(one.due_at)}"
            elif one.occasion_id not in self.refused:
                self.refused[one.occasion_id] = one.refused
                yield f"{one.occasion_id}  {one.timezone}  cannot be planned: {one.refused}"

    def totals(self) -> Iterator[str]:
        """Give the totals, by zone and in all."""
        width = max(map(len, self._moved), default=0)
        for zone, moved in sorted(self._moved.items()):
            yield f"{zone:<{width}}  {moved:>9,} moved"
        done = "would be planned" if self._dry_run else "planned"
        yield (
            f"{self._planned:,} {done} again under tz database {TZ_DATABASE_VERSION}: "
            f"{self._moved.total():,} moved, {len(self.refused):,} cannot be planned"
        )


async def report_replan(settings: ServiceSettings, *, dry_run: bool) -> Report:
    """Plan again, printing as it goes. Raises StartFailedError without a database of this release."""
    topology = load_topology(Path(settings.topology_file))
    report, offset = Report(dry_run=dry_run), timedelta(seconds=settings.clock_offset_seconds)
    async with open_pool("scheduler", settings, asyncio.Event()) as pool:
        async for batch in replan(pool, topology, offset=offset, dry_run=dry_run):
            say(report.lines(batch))
    say(report.totals())
    return report


def main(*, dry_run: bool) -> None:
    """Run to the end; exit 2 on a bad setting, 1 when it could not be done or some cannot be planned."""
    try:
        settings = load_settings(ServiceSettings, os.environ)
        configure_logs("scheduler", form=settings.log_format, level="error")
        report = asyncio.run(report_replan(settings, dry_run=dry_run))
    except SettingsError as error:
        sys.stderr.write(f"scheduler: {error}\n")
        sys.exit(EXIT_BAD_SETTINGS)
    except (StartFailedError, OSError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
        sys.stderr.write(f"scheduler: {describe(error)}\n")
        sys.exit(EXIT_FAILED)
    if report.refused:
        sys.exit(EXIT_FAILED)


def say(lines: Iterator[str]) -> None:
    """Print lines at once."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def utc(instant: datetime) -> str:
    """Return an instant as RFC 3339 has it, in UTC to the second."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
