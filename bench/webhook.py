"""`webhook`: from accepted events to recorded attempts, beside bare POST loops and queues of POST jobs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from statistics import median

from testkit.embedded_postgres import EmbeddedPostgres

from bench import poster
from bench.figures import Figure, Report, alternate, compare, rounded
from bench.peer_environment import peer_python
from bench.peer_queues import PGQUEUER, PROCRASTINATE, posted_by
from bench.post_loops import LOOP_AT_ONCE, Course, Posted, course_to
from bench.posters import deliver, post
from bench.scratch import scratch_postgres
from bench.sink_process import running_sink

CARILLON, CARILLON_TWICE, POST_ONLY = "carillon", "two workers", "post only"
BARE, BARE_TWICE, AIOHTTP = "bare", "two bare", "aiohttp"
PEERS = {
    BARE: "bare loop over the same transport",
    AIOHTTP: "bare aiohttp loop",
    PGQUEUER: "pgqueuer: a job that POSTs",
    PROCRASTINATE: "procrastinate: a job that POSTs",
}
PEERS_OF_TWO = {BARE: PEERS[BARE], BARE_TWICE: "two bare loops, a process each"}
# The loop's is for two cores, which two workers share: a worker computes on one.
GOALS = {PROCRASTINATE: "≥ 5"}
GOALS_OF_TWO = {BARE: "≥ 0.60"}

Contender = Callable[[], Awaitable[Posted]]
Rounds = Mapping[str, list[Posted]]


async def run(*, quick: bool) -> Report:
    """Measure 10,000 webhooks a round (1,000 when quick); procrastinate, one by one, makes 1,000 (200)."""
    posts, few, rounds = (1000, 200, 1) if quick else (10_000, 1000, 4)
    peer_python()  # installs them, if need be, before anything is measured
    with running_sink() as sink:
        course = course_to(sink, posts)
        async with scratch_postgres() as server:
            made = await in_turn(
                rounds,
                {
                    CARILLON: partial(deliver, course, server, workers=1),
                    CARILLON_TWICE: partial(deliver, course, server, workers=2),
                    POST_ONLY: partial(post, course, poster.POST_ONLY),
                    BARE: partial(post, course, poster.LOOP),
                    BARE_TWICE: partial(post, course, poster.LOOP, number=2),
                    AIOHTTP: partial(post, course, poster.AIOHTTP),
                    PGQUEUER: partial(job_that_posts, PGQUEUER, course, server, posts),
                    PROCRASTINATE: partial(job_that_posts, PROCRASTINATE, course, server, few),
                },
            )
    return Report(
        figures=figures(made, course),
        sizes={"posts": posts, "slots": course.slots, "rounds": rounds},
    )


async def in_turn(rounds: int, contenders: Mapping[str, Contender]) -> Rounds:
    """Let each make its POSTs, once a round; return what came of it."""
    made: dict[str, list[Posted]] = {name: [] for name in contenders}

    async def make(name: str) -> float:
        made[name].append(await contenders[name]())
        return made[name][-1].per_second

    await alternate(rounds, {name: partial(make, name) for name in contenders})
    return made


async def job_that_posts(peer: str, course: Course, server: EmbeddedPostgres, count: int) -> Posted:
    """Let a queue of jobs make so many POSTs."""
    told = await posted_by(peer, server, count, course.sink)
    return Posted(per_second=count / (told.ended - told.started), cpu_ms=told.cpu_seconds / count * 1000)


def figures(made: Rounds, course: Course) -> list[Figure]:
    """Return Carillon's speed and CPU beside each peer's, and how far it comes without a database."""
    at_once = f"{course.slots} at once a worker, {LOOP_AT_ONCE} a loop"
    note = f"{at_once}; the sink was busy {course.busiest:.0%} of the time at most"
    rates = {name: [posted.per_second for posted in rounds] for name, rounds in made.items()}
    cpu = {name: [posted.cpu_ms for posted in rounds] for name, rounds in made.items()}
    posted = "webhooks signed, posted and recorded"
    by_two = f"{posted}, by two workers"
    return [
        *(
            compare(by_two, "POST/s", rates[CARILLON_TWICE], told, rates[peer], goal=GOALS_OF_TWO.get(peer))
            for peer, told in PEERS_OF_TWO.items()
        ),
        *(
            compare(posted, "POST/s", rates[CARILLON], told, rates[peer], goal=GOALS.get(peer), note=note)
            for peer, told in PEERS.items()
        ),
        *(
            compare(f"{by_two}: CPU a POST", "ms", cpu[CARILLON_TWICE], told, cpu[peer])
            for peer, told in PEERS_OF_TWO.items()
        ),
        *(
            compare(f"{posted}: CPU a POST", "ms", cpu[CARILLON], told, cpu[peer])
            for peer, told in PEERS.items()
        ),
        compare("webhooks signed and posted", "POST/s", rates[POST_ONLY], PEERS[BARE], rates[BARE]),
        compare("webhooks signed and posted: CPU a POST", "ms", cpu[POST_ONLY], PEERS[BARE], cpu[BARE]),
        database_cpu(by_two, made[CARILLON_TWICE]),
        database_cpu(posted, made[CARILLON]),
    ]


def database_cpu(what: str, rounds: Sequence[Posted]) -> Figure:
    """Return what PostgreSQL computed for a POST."""
    ms = rounded(median(one.database_cpu_ms for one in rounds))
    return Figure(what=f"{what}: PostgreSQL's CPU a POST", unit="ms", carillon=ms)
