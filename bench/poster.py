"""`python -m bench.poster KIND DATABASE_URL SINK_PORT POSTS`: a worker, or a loop that POSTs, as a process.

It says `ready`, starts when it is told to (a line), and tells what its POSTs took as JSON.
"""

import sys
import time
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager

import msgspec
import uvloop
from msgspec import Struct
from runtime.garbage import look_for_garbage_less
from webhook_worker.post_webhook import signed_request

from bench.children import answer, ready
from bench.deliver_stage import leased, post_only, stage
from bench.messages import due_events
from bench.post_loops import Course, aiohttp_loop, bare_loop, course_to
from bench.scratch import log_into_nothing
from bench.sink_process import Sink

WORKER, POST_ONLY, LOOP, AIOHTTP = "worker", "post-only", "loop", "aiohttp"


class Share(Struct, frozen=True, kw_only=True):
    """When the last of a poster's POSTs was over (seconds since the epoch), and the CPU that all took."""

    ended: float
    cpu_seconds: float


def prepared(kind: str, url: str, course: Course) -> AbstractAsyncContextManager[Awaitable[None]]:
    """Give the work, with all that it needs open."""
    received = due_events(course.topology, course.posts)
    if kind == WORKER:
        return stage(course, url, received)
    deliveries = [leased(course.endpoint, one) for one in received]
    if kind == POST_ONLY:
        return post_only(course, deliveries)
    requests = [signed_request(course.endpoint, one, one.created_at) for one in deliveries]
    return bare_loop(requests) if kind == LOOP else aiohttp_loop(requests)


async def post(kind: str, url: str, course: Course) -> Share:
    """Make the POSTs once we are told to."""
    async with prepared(kind, url, course) as work:
        told = await ready()
        await told.readline()
        look_for_garbage_less()
        before = time.process_time()
        await work
        return Share(ended=time.time(), cpu_seconds=time.process_time() - before)


if __name__ == "__main__":
    log_into_nothing()
    kind, url, port, posts = sys.argv[1:]
    answer(msgspec.json.encode(uvloop.run(post(kind, url, course_to(Sink(port=int(port)), int(posts))))))
