"""`pick_up`: from due to emitted, at a steady rate and in a burst, beside queues of jobs on one server."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase

from bench.emitters import emit_all
from bench.figures import Figure, Report, alternate, compare, percentile, rounded
from bench.peer_environment import peer_python
from bench.peer_queues import PGQUEUER, PROCRASTINATE, picked_up_by
from bench.picked_up import PickedUp
from bench.scratch import SQL, TEMPLATE, scratch_postgres
from bench.zones import ZONES

CARILLON = "carillon"
PEERS = {
    PGQUEUER: "its shortest sleep is 0.1 s",
    PROCRASTINATE: "polling each 0.1 s instead of each 5 s",
}
PER_SECOND = 50
STEP = timedelta(seconds=1) / PER_SECOND
AT_ONCE = timedelta(0)
AHEAD = timedelta(seconds=1)
LATER = timedelta(days=1)  # by the schedulers' clock: nothing is due while the rows are written
GOAL_MS = {50: None, 99: "≤ 100"}

PickUp = Callable[[], Awaitable[PickedUp]]
Heard = Mapping[str, list[PickedUp]]


async def run(*, quick: bool) -> Report:
    """Measure 50 a second for 10 s a round (4 s when quick), then 100,000 due at once (10,000).

    procrastinate is given 2,000 at once (200), since it picks them up one by one.
    """
    seconds, burst, short_burst, rounds = (4, 10_000, 200, 1) if quick else (10, 100_000, 2000, 2)
    peer_python()  # installs them, if need be, before anything is measured
    async with scratch_postgres() as server:
        steady = await in_turn(
            rounds,
            {
                CARILLON: partial(emitted, server, PER_SECOND * seconds, STEP),
                **{peer: partial(picked_up_by, peer, server, PER_SECOND * seconds, STEP) for peer in PEERS},
            },
        )
        at_once = await in_turn(
            rounds,
            {
                CARILLON: partial(emitted, server, burst, AT_ONCE),
                PGQUEUER: partial(picked_up_by, PGQUEUER, server, burst, AT_ONCE),
                PROCRASTINATE: partial(picked_up_by, PROCRASTINATE, server, short_burst, AT_ONCE),
            },
        )
    return Report(
        figures=[*lag(steady), *speed(at_once), *lag_in_burst(at_once[CARILLON], burst)],
        sizes={"perSecond": PER_SECOND, "seconds": seconds, "atOnce": burst, "rounds": rounds},
    )


async def in_turn(rounds: int, contenders: Mapping[str, PickUp]) -> Heard:
    """Let each pick up what it is given, once a round; return what came of it."""
    heard: dict[str, list[PickedUp]] = {name: [] for name in contenders}

    async def hear(name: str) -> float:
        heard[name].append(await contenders[name]())
        return heard[name][-1].per_second

    await alternate(rounds, {name: partial(hear, name) for name in contenders})
    return heard


async def emitted(server: EmbeddedPostgres, count: int, step: timedelta) -> PickedUp:
    """Let a scheduler emit so many occurrences, one due a step: picked up when the claim's commit returns."""
    first_due = datetime.now(UTC) + LATER
    async with FreshDatabase(server, "due", template=TEMPLATE) as database:
        admin = await database.connect()
        await admin.execute(SQL["seed_occurrences"], count, first_due, step, ZONES)
        await admin.execute(SQL["analyze"])
        await admin.execute(SQL["checkpoint"])
        done = await emit_all(database, count, clock=first_due - AHEAD)
        due_at = {row["event_id"]: row["due_at"] for row in await admin.fetch(SQL["claimed_due_times"])}
    return PickedUp(
        started=done.started,
        picked=[
            (due_at[event_id] - done.offset, batch.committed)
            for batch in done.batches
            for event_id in batch.event_ids
        ],
    )


def lag(steady: Heard) -> list[Figure]:
    """Return how late things are at a steady rate, beside each peer."""

    def late(name: str, percent: int) -> list[float]:
        return [percentile(picked_up.lags_ms, percent) for picked_up in steady[name]]

    return [
        compare(
            f"due → emitted at {PER_SECOND} a second, p{percent}",
            "ms",
            late(CARILLON, percent),
            f"{peer}: due → its function called",
            late(peer, percent),
            goal=goal,
            note=polling,
        )
        for peer, polling in PEERS.items()
        for percent, goal in GOAL_MS.items()
    ]


def speed(at_once: Heard) -> list[Figure]:
    """Return how fast a burst is worked off, beside each peer."""
    rates = {name: [picked_up.per_second for picked_up in heard] for name, heard in at_once.items()}
    return [
        compare(
            "due at once, emitted",
            "rows/s",
            rates[CARILLON],
            f"{peer}: its function called",
            rates[peer],
            note=f"{len(at_once[peer][0].picked):,} for the peer, which writes no message and no next date",
        )
        for peer in PEERS
    ]


def lag_in_burst(bursts: list[PickedUp], count: int) -> list[Figure]:
    """Return how late the occurrences of a burst are: the last waits for all others."""
    lags = [lag for burst in bursts for lag in burst.lags_ms]
    return [
        Figure(
            what=f"due → emitted, {count:,} at one instant, p{percent}",
            unit="ms",
            carillon=rounded(percentile(lags, percent)),
        )
        for percent in GOAL_MS
    ]
