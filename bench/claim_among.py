"""`claim_among`: what is due among few and many open occurrences, beside history, by several schedulers."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial

from bench.emitters import Emitted
from bench.figures import Figure, Report, alternate, compare, percentile
from bench.open_rows import OpenRows, open_rows
from bench.scratch import scratch_postgres

FEW, MANY, MOST, STREWN, AGED, TWO, FOUR = "few", "many", "most", "strewn", "aged", "two", "four"
FLAT = "≥ 0.80"
FLAT_MS = "≤ 1.25"

Passes = Mapping[str, Sequence[Emitted]]


def as_deployed() -> dict[str, str]:
    """Return a server's settings: a quarter of the memory, as Amazon RDS has it, 2 GB between checkpoints."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"shared_buffers": f"{memory // 4 // 1024**2}MB", "max_wal_size": "2GB"}


async def run(*, quick: bool) -> Report:
    """Measure 100,000 due a pass, all of those open, among 1 M and among 10 M; beside 3 M that are over.

    Among 10 M also where a day's rows are strewn over the table, as those are whose users were just imported.

    When quick: 5,000 due, among 50,000 and 100,000; beside 50,000.
    """
    due, rounds, days, history = (5000, 1, (10, 20), 50_000) if quick else (100_000, 3, (10, 100), 3_000_000)
    async with scratch_postgres(**as_deployed()) as server, AsyncExitStack() as kept:

        async def few() -> Emitted:
            async with open_rows(server, FEW, due=due, days=1) as rows:
                return await rows.emit()

        async def filled(name: str, days: int, *, history: int = 0, strewn: bool = False) -> OpenRows:
            return await kept.enter_async_context(
                open_rows(server, name, due=due, days=days, history=history, strewn=strewn)
            )

        many, most = await filled(MANY, days[0]), await filled(MOST, days[1])
        strewn = await filled(STREWN, days[1], strewn=True)
        aged = await filled(AGED, days[0], history=history)
        contenders: dict[str, Callable[[], Awaitable[Emitted]]] = {
            FEW: few,
            MANY: many.emit,
            MOST: most.emit,
            STREWN: strewn.emit,
            AGED: aged.emit,
            TWO: partial(many.emit, schedulers=2),
            FOUR: partial(many.emit, schedulers=4),
        }
        passes: dict[str, list[Emitted]] = {name: [] for name in contenders}
        rates = await alternate(
            rounds, {name: partial(rate, emit, passes[name]) for name, emit in contenders.items()}
        )
    open_few, open_many, open_most = (f"{due * times:,} open" for times in (1, *days))
    return Report(
        figures=[
            *beside(passes, (MANY, f"among {open_many}"), (FEW, f"all of {open_few}")),
            *beside(passes, (MOST, f"among {open_most}"), (FEW, f"all of {open_few}")),
            *beside(
                passes,
                (STREWN, f"among {open_most}, a day's strewn"),
                (MOST, f"among {open_most}, a day's together"),
            ),
            *beside(
                passes,
                (AGED, f"among {open_many}, {history:,} over"),
                (MANY, f"among {open_many}, none over"),
            ),
            *together(rates, open_many),
        ],
        sizes={"due": due, "rounds": rounds, "history": history},
    )


async def rate(emit: Callable[[], Awaitable[Emitted]], passes: list[Emitted]) -> float:
    """Let a day's be emitted, and keep what came of it; return how many a second."""
    passes.append(await emit())
    return passes[-1].per_second


def beside(passes: Passes, ours: tuple[str, str], theirs: tuple[str, str]) -> list[Figure]:
    """Return rows/s, the p99 of a batch and the WAL of a row among more rows, beside those among fewer."""
    (name, what), (other, peer) = ours, theirs

    def figure(of: str, unit: str, value: Callable[[Emitted], float], goal: str | None = None) -> Figure:
        mine, yours = ([value(one) for one in passes[each]] for each in (name, other))
        return compare(of, unit, mine, peer, yours, goal=goal)

    return [
        figure(f"emitted {what}", "rows/s", lambda one: one.per_second, FLAT),
        figure(f"one batch {what}, p99", "ms", lambda one: percentile(one.batch_ms, 99), FLAT_MS),
        figure(f"WAL of one {what}", "bytes", lambda one: one.wal_per_row),
    ]


def together(rates: Mapping[str, Sequence[float]], among: str) -> list[Figure]:
    """Return rows/s of several schedulers beside one's."""
    return [
        compare(f"emitted by {number} schedulers among {among}", "rows/s", rates[name], "one", rates[MANY])
        for name, number in ((TWO, 2), (FOUR, 4))
    ]
