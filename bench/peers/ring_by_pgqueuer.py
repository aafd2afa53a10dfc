"""PgQueuer as a peer: `ring_by_pgqueuer.py URL COUNT STEP_SECONDS` picks up that many jobs, one due a step.

Step 0: all are due before its worker starts. Says as JSON when the worker started and, of each job, when it
was due and when its function was called (seconds since the epoch). A process of its own, in an environment
of its own, and a script: it imports nothing of the benches.
"""

import json
import sys
import time
from datetime import timedelta

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.models import Job

AHEAD_SECONDS = 1.0  # and so much for each job: time to write them, and to start, before the first is due
AHEAD_SECONDS_EACH = 0.01
BATCH = 500
WRITTEN_AT_ONCE = 5000
ENTRYPOINT = "ring"


async def ring(url: str, count: int, step: float) -> None:
    """Write the jobs, pick them up, say when."""
    connection = await asyncpg.connect(url)
    queuer = PgQueuer.from_asyncpg_connection(connection)
    await queuer.qm.queries.install()
    first_due = time.time() + (AHEAD_SECONDS + AHEAD_SECONDS_EACH * count if step else 0)
    due = [first_due + number * step for number in range(count)]
    picked = []

    async def called(job: Job) -> None:
        picked.append((float(job.payload or b""), time.time()))
        if len(picked) == count:
            queuer.shutdown.set()

    queuer.entrypoint(ENTRYPOINT)(called)
    for start in range(0, count, WRITTEN_AT_ONCE):
        some = due[start : start + WRITTEN_AT_ONCE]
        ahead = [timedelta(seconds=max(0, at - time.time())) if step else None for at in some]
        await queuer.qm.queries.enqueue(
            [ENTRYPOINT] * len(some), [str(at).encode() for at in some], [0] * len(some), ahead
        )
    started = time.time()
    assert not step or started < first_due, "the jobs took too long to write"
    await queuer.run(batch_size=BATCH)
    await connection.close()
    json.dump({"started": started, "picked": picked}, sys.stdout)


if __name__ == "__main__":
    uvloop.run(ring(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
