"""Workers, and loops that POST, as children of the bench: a fresh process and an equal share for each."""

import asyncio
import time

import msgspec
from msgspec import structs
from testkit.embedded_postgres import EmbeddedPostgres

from bench.children import end, running, tell
from bench.cpu import cpu_seconds_with_children
from bench.deliver_stage import delivered
from bench.post_loops import Course, Posted
from bench.poster import WORKER, Share

ALL_WITHIN = 300.0


async def deliver(course: Course, server: EmbeddedPostgres, *, workers: int) -> Posted:
    """Deliver as so many workers over one database."""
    async with delivered(course, server) as database:
        before = cpu_seconds_with_children(server.pid or 0) or 0.0
        url = database.url("carillon_webhook_worker")
        posted = await post(course, WORKER, url=url, number=workers)
        database_cpu = (cpu_seconds_with_children(server.pid or 0) or 0.0) - before
    return structs.replace(posted, database_cpu_ms=database_cpu / course.posts * 1000)


async def post(course: Course, kind: str, *, url: str = "", number: int = 1) -> Posted:
    """Let so many make the POSTs, all at once; the time is that of the last one to end."""
    arguments = (kind, url, str(course.sink.port), str(course.posts // number))
    async with running(number, "bench.poster", *arguments) as posters, asyncio.timeout(ALL_WITHIN):
        with course.watched():
            started = time.time()
            for poster in posters:
                tell(poster, "go")
            told = await asyncio.gather(*map(end, posters))
    shares = [msgspec.json.decode(one, type=Share) for one in told]
    seconds = max(one.ended for one in shares) - started
    cpu = sum(one.cpu_seconds for one in shares)
    return Posted(per_second=course.posts / seconds, cpu_ms=cpu / course.posts * 1000)
