"""`instants`: every zone, every day from 1900 to 2100: the instant planned shows the local time promised."""

import asyncio
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor

from domain.zones import TZ_DATABASE_VERSION, zone_names

from bench.check_instants import DAY, FIRST, LAST, Checked, check_instants
from bench.figures import Figure, Report, rounded

DAYS = (LAST + DAY - FIRST).days


async def run(*, quick: bool) -> Report:
    """Check all zones (one in twenty when quick), as many at once as there are cores; a wrong one ends it."""
    zones = sorted(zone_names())[:: 20 if quick else 1]
    loop = asyncio.get_running_loop()
    # Not forked: this process has an event loop, and threads.
    context = multiprocessing.get_context("spawn")
    started = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as processes:
        checked = await asyncio.gather(
            *(loop.run_in_executor(processes, check_instants, name) for name in zones)
        )
    seconds = time.perf_counter() - started
    assert all(one.daily == DAYS for one in checked)
    return Report(figures=figures(checked, seconds), sizes={"zones": len(zones), "days": DAYS})


def figures(checked: list[Checked], seconds: float) -> list[Figure]:
    """Return how many were right, and how many a second that were."""
    daily, near = sum(one.daily for one in checked), sum(one.near_changes for one in checked)
    in_gap = [f"{one.timezone} {promised:%Y-%m-%d}" for one in checked for promised in one.in_gap]
    return [
        Figure(
            what="instants that break a rule",
            unit="found",
            carillon=0,
            goal="0",
            note=(
                f"{daily:,} at 09:00, of which {len(in_gap)} in a gap, documented ({', '.join(in_gap)}); "
                f"{near:,} on days when clocks change; tz database {TZ_DATABASE_VERSION}"
            ),
        ),
        Figure(
            what="instants planned and checked", unit="a second", carillon=rounded((daily + near) / seconds)
        ),
    ]
