"""A worker's port: GET /health/live (the process runs), /health/ready (it can do its work) and /metrics."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from runtime.metrics import exposition
from runtime.stopping import Stop, describe

# Raises when what it checks is not well; the exception's text says why.
Check = Callable[[], Awaitable[None]]


async def readiness(checks: Mapping[str, Check], stop: Stop) -> dict[str, str]:
    """Return what keeps the service from being ready, by name; empty when it is."""
    if stop.is_set():
        return {"draining": "the service was told to stop"}
    results = await asyncio.gather(*(check() for check in checks.values()), return_exceptions=True)
    return {
        name: describe(result)
        for name, result in zip(checks, results, strict=True)
        if isinstance(result, BaseException)
    }


@asynccontextmanager
async def serve_health(host: str, port: int, checks: Mapping[str, Check], stop: Stop) -> AsyncIterator[None]:
    """Answer health checks for as long as the context is open. Raises OSError when the port is taken."""

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"status": "live"})

    async def ready(_: web.Request) -> web.Response:
        failing = await readiness(checks, stop)
        if failing:
            return web.json_response({"status": "not ready", "failing": failing}, status=503)
        return web.json_response({"status": "ready"})

    async def metrics(request: web.Request) -> web.Response:
        body, content_type = exposition(request.headers.get("accept", ""))
        return web.Response(body=body, headers={"content-type": content_type})

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/health/live", live)
    app.router.add_get("/health/ready", ready)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()
