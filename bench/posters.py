"""Workers, or bare loops, side by side: a process each, an equal share of the POSTs each."""

import asyncio
import time

import msgspec
from msgspec import structs
from testkit.embedded_postgres import EmbeddedPostgres

from bench.children import end, running, tell
from bench.cpu import cpu_seconds_with_children
from bench.deliver_stage import delivered, worker_url
from bench.post_loops import Course, Posted
from bench.poster import LOOP, WORKER, Share

SIDE_BY_SIDE = 2
ALL_WITHIN = 300.0


async def deliver_side_by_side(course: Course, server: EmbeddedPostgres) -> Posted:
    """Deliver as two workers over one database."""
    async with delivered(course, server) as database:
        before = cpu_seconds_with_children(server.pid or 0) or 0.0
        posted = await post_side_by_side(course, WORKER, worker_url(database))
        database_cpu = (cpu_seconds_with_children(server.pid or 0) or 0.0) - before
    return structs.replace(posted, database_cpu_ms=database_cpu / course.posts * 1000)


async def loop_side_by_side(course: Course) -> Posted:
    """Post as two bare loops."""
    return await post_side_by_side(course, LOOP, "")


async def post_side_by_side(course: Course, kind: str, url: str) -> Posted:
    """Start all at once; the time is that of the last one to end."""
    share = course.posts // SIDE_BY_SIDE
    arguments = (kind, url, str(course.sink.port), str(share))
    async with running(SIDE_BY_SIDE, "bench.poster", *arguments) as posters, asyncio.timeout(ALL_WITHIN):
        with course.watched():
            started = time.time()
            for poster in posters:
                tell(poster, "go")
            told = await asyncio.gather(*map(end, posters))
    shares = [msgspec.json.decode(one, type=Share) for one in told]
    seconds = max(one.ended for one in shares) - started
    cpu = sum(one.cpu_seconds for one in shares)
    return Posted(per_second=course.posts / seconds, cpu_ms=cpu / course.posts * 1000)
