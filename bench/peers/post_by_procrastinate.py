"""procrastinate: `post_by_procrastinate.py DATABASE_URL COUNT SINK_URL`; see `post_by_pgqueuer.py`."""

import asyncio
import json
import logging
import sys
import time

import uvloop
from procrastinate import App, PsycopgConnector
from pyreqwest.client import ClientBuilder

CONCURRENCY = 20
BODY = "x" * 350
ACCEPTED = 204


async def post(database_url: str, count: int, sink_url: str) -> None:
    """Write the jobs, let the worker POST them, say how long it took."""
    logging.disable()  # it would rather have its App in a module of its own
    app = App(connector=PsycopgConnector(conninfo=database_url))
    left, ended, ended_cpu = count, 0.0, 0.0
    all_posted = asyncio.Event()
    async with ClientBuilder().no_proxy().build() as client:

        async def called(body: str) -> None:
            nonlocal left, ended, ended_cpu
            response = await client.post(sink_url).body_bytes(body.encode()).build().send()
            assert response.status == ACCEPTED
            left -= 1
            if not left:
                ended, ended_cpu = time.time(), time.process_time()
                all_posted.set()

        task = app.task(called, name="post")
        async with app.open_async():
            await app.schema_manager.apply_schema_async()
            await task.batch_defer_async(*({"body": BODY} for _ in range(count)))
            started, started_cpu = time.time(), time.process_time()
            worker = asyncio.create_task(
                app.run_worker_async(
                    concurrency=CONCURRENCY, delete_jobs="always", install_signal_handlers=False
                )
            )
            await all_posted.wait()
            worker.cancel()
            await asyncio.wait([worker])
    json.dump({"started": started, "ended": ended, "cpuSeconds": ended_cpu - started_cpu}, sys.stdout)


if __name__ == "__main__":
    uvloop.run(post(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
