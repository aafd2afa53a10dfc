"""procrastinate as a peer: `ring_by_procrastinate.py URL COUNT STEP_SECONDS`; see `ring_by_pgqueuer.py`."""

import asyncio
import json
import logging
import sys
import time
from datetime import UTC, datetime

import uvloop
from procrastinate import App, PsycopgConnector

AHEAD_SECONDS, AHEAD_SECONDS_EACH = 1.0, 0.01
CONCURRENCY = 20
POLL_SECONDS = 0.1  # 5 s as it comes; what is written ahead is found by polling alone


async def ring(url: str, count: int, step: float) -> None:
    """Write the jobs, pick them up, say when."""
    logging.disable()  # it would rather have its App in a module of its own
    app = App(connector=PsycopgConnector(conninfo=url))
    picked = []
    all_picked = asyncio.Event()

    async def called(due: float) -> None:
        picked.append((due, time.time()))
        if len(picked) == count:
            all_picked.set()

    task = app.task(called, name="ring")
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        first_due = time.time() + (AHEAD_SECONDS + AHEAD_SECONDS_EACH * count if step else 0)
        for number in range(count) if step else ():
            at = first_due + number * step
            await task.configure(schedule_at=datetime.fromtimestamp(at, UTC)).defer_async(due=at)
        if not step:
            await task.batch_defer_async(*({"due": first_due} for _ in range(count)))
        started = time.time()
        assert not step or started < first_due, "the jobs took too long to write"
        worker = asyncio.create_task(
            app.run_worker_async(
                concurrency=CONCURRENCY,
                fetch_job_polling_interval=POLL_SECONDS,
                delete_jobs="always",
                install_signal_handlers=False,
            )
        )
        await all_picked.wait()
        worker.cancel()
        await asyncio.wait([worker])
    json.dump({"started": started, "picked": picked}, sys.stdout)


if __name__ == "__main__":
    uvloop.run(ring(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
