"""PgQueuer as a peer: `post_by_pgqueuer.py DATABASE_URL COUNT SINK_URL` makes a POST for each of COUNT jobs.

All are written before its worker starts; each POSTs its payload, of a webhook's length. Says as JSON when the
worker started, when the last answer came (seconds since the epoch) and the seconds of CPU used in between. A
process of its own, in an environment of its own, and a script: it imports nothing of the benches.
"""

import json
import sys
import time

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.models import Job
from pyreqwest.client import ClientBuilder

BATCH = 500
WRITTEN_AT_ONCE = 5000
ENTRYPOINT = "post"
BODY = b"x" * 350
ACCEPTED = 204


async def post(database_url: str, count: int, sink_url: str) -> None:
    """Write the jobs, let the worker POST them, say how long it took."""
    connection = await asyncpg.connect(database_url)
    queuer = PgQueuer.from_asyncpg_connection(connection)
    await queuer.qm.queries.install()
    left, ended, ended_cpu = count, 0.0, 0.0
    async with ClientBuilder().no_proxy().build() as client:

        async def called(job: Job) -> None:
            nonlocal left, ended, ended_cpu
            response = await client.post(sink_url).body_bytes(job.payload or b"").build().send()
            assert response.status == ACCEPTED
            left -= 1
            if not left:
                ended, ended_cpu = time.time(), time.process_time()
                queuer.shutdown.set()

        queuer.entrypoint(ENTRYPOINT)(called)
        for start in range(0, count, WRITTEN_AT_ONCE):
            some = min(WRITTEN_AT_ONCE, count - start)
            await queuer.qm.queries.enqueue([ENTRYPOINT] * some, [BODY] * some, [0] * some)
        started, started_cpu = time.time(), time.process_time()
        await queuer.run(batch_size=BATCH)
    await connection.close()
    json.dump({"started": started, "ended": ended, "cpuSeconds": ended_cpu - started_cpu}, sys.stdout)


if __name__ == "__main__":
    uvloop.run(post(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
