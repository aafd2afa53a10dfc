"""`webhook`: from accepted events to recorded attempts, beside bare POST loops and queues of POST jobs."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from statistics import median

from messaging.consume import Received
from messaging.envelope import read
from messaging.topology import load_topology
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.receiver import new_secret
from webhook_worker.endpoint import default_endpoint
from webhook_worker.post_webhook import signed_request

from bench.deliver_stage import deliver, leased, post_only
from bench.figures import Figure, Report, alternate, compare, rounded
from bench.messages import due_messages
from bench.peer_environment import peer_python
from bench.peer_queues import PGQUEUER, PROCRASTINATE, posted_by
from bench.post_loops import TIMEOUT, Course, Posted, post_with_aiohttp, post_with_pyreqwest
from bench.scratch import TOPOLOGY_FILE, scratch_postgres
from bench.sink_process import running_sink

CARILLON, POST_ONLY, BARE, AIOHTTP = "carillon", "post only", "bare", "aiohttp"
PEERS = {
    BARE: "bare loop over the same transport",
    AIOHTTP: "bare aiohttp loop",
    PGQUEUER: "pgqueuer: a job that POSTs",
    PROCRASTINATE: "procrastinate: a job that POSTs",
}
GOALS = {BARE: "≥ 0.60", PROCRASTINATE: "≥ 5"}

Contender = Callable[[], Awaitable[Posted]]
Rounds = Mapping[str, list[Posted]]


async def run(*, quick: bool) -> Report:
    """Measure 5,000 webhooks a round (1,000 when quick); procrastinate, one by one, makes 1,000 (200)."""
    posts, few, rounds = (1000, 200, 1) if quick else (5000, 1000, 4)
    peer_python()  # installs them, if need be, before anything is measured
    with running_sink() as sink:
        course = Course(
            sink=sink,
            endpoint=default_endpoint(sink.url, new_secret(), timeout=TIMEOUT),
            topology=load_topology(TOPOLOGY_FILE),
            posts=posts,
        )
        received = [
            Received(event_id=event_id, event=event, receipt="")
            for event_id, event in (read(message.body) for message in due_messages(course.topology, posts))
        ]
        deliveries = [leased(course.endpoint, one) for one in received]
        requests = [signed_request(course.endpoint, one, one.created_at) for one in deliveries]
        async with scratch_postgres() as server:
            made = await in_turn(
                rounds,
                {
                    CARILLON: partial(deliver, course, server, received),
                    POST_ONLY: partial(post_only, course, deliveries),
                    BARE: partial(post_with_pyreqwest, course, requests),
                    AIOHTTP: partial(post_with_aiohttp, course, requests),
                    PGQUEUER: partial(job_that_posts, PGQUEUER, course, server, posts),
                    PROCRASTINATE: partial(job_that_posts, PROCRASTINATE, course, server, few),
                },
            )
    return Report(
        figures=figures(made, course),
        sizes={"posts": posts, "atOnce": course.at_once, "rounds": rounds},
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
    note = f"{course.at_once} at once; the sink was busy {course.busiest:.0%} of the time at most"
    rates = {name: [posted.per_second for posted in rounds] for name, rounds in made.items()}
    cpu = {name: [posted.cpu_ms for posted in rounds] for name, rounds in made.items()}
    posted = "webhooks signed, posted and recorded"
    database = rounded(median(one.database_cpu_ms for one in made[CARILLON]))
    return [
        *(
            compare(posted, "POST/s", rates[CARILLON], told, rates[peer], goal=GOALS.get(peer), note=note)
            for peer, told in PEERS.items()
        ),
        *(
            compare(f"{posted}: CPU a POST", "ms", cpu[CARILLON], told, cpu[peer])
            for peer, told in PEERS.items()
        ),
        compare("webhooks signed and posted", "POST/s", rates[POST_ONLY], PEERS[BARE], rates[BARE]),
        compare("webhooks signed and posted: CPU a POST", "ms", cpu[POST_ONLY], PEERS[BARE], cpu[BARE]),
        Figure(what=f"{posted}: PostgreSQL's CPU a POST", unit="ms", carillon=database),
    ]
