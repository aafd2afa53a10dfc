"""Health: /health and /health/ready (the database answers, nobody asked to stop), /health/live (it runs)."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Literal

import structlog
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct
from runtime.database import Pool, ping
from runtime.health import Check, readiness
from runtime.stopping import Stop

from user_api.problem import RETRY_AFTER, Problem, answer_problem

log = structlog.get_logger()

PING_SECONDS = 2


class Health(Struct, frozen=True):
    """How the service is."""

    status: Literal["live", "ready"]


def health_routes(pool: Pool, stop: Stop, checks: Mapping[str, Check]) -> list[HTTPRouteHandler]:
    """Make the routes that probes ask; `checks` are made beside that of the database."""

    async def database() -> None:
        # Around the wait for a free connection too, which a full pool would make as long as it likes.
        async with asyncio.timeout(PING_SECONDS):
            await ping(pool)

    @get("/health/live")
    async def live() -> Health:
        """Tell that the process runs."""
        return Health("live")

    @get(["/health", "/health/ready"])
    async def ready(request: Request[Any, Any, Any]) -> Response[Health] | Response[bytes]:
        """Tell whether requests are answered: 503 while the database is away or the service stops."""
        failing = await readiness({"database": database, **checks}, stop)
        if not failing:
            return Response(Health("ready"))
        log.warning("health.not_ready", failing=failing)
        # The reasons are for the log: they name hosts and ports.
        return answer_problem(request, not_ready(failing))

    return [live, ready]


def not_ready(failing: Collection[str]) -> Problem:
    """Give the problem of a service that does not answer requests now; `failing` says what it waits for."""
    return Problem(
        kind="not-ready",
        title="Not ready",
        status=503,
        detail=f"Not ready: {', '.join(failing)}.",
        headers=RETRY_AFTER,
    )
