"""The composition root: the pool, the topology and the routes, served until told to stop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp
from messaging.topology import load_topology
from runtime.database import open_pool
from runtime.health import Check
from runtime.stopping import Loop, Stop, keep_running
from runtime.waiting import StartFailedError

from user_api.access_log import AccessLog
from user_api.always_answer import AlwaysAnswer
from user_api.auth.guard import open_guard
from user_api.context import Context
from user_api.cors import Cors
from user_api.docs_routes import docs_routes
from user_api.forget_requests import forget_requests
from user_api.health import health_routes
from user_api.idempotency import Idempotency
from user_api.import_routes import import_routes
from user_api.methods import Methods
from user_api.occasion_routes import occasion_routes
from user_api.occurrence_routes import occurrence_routes
from user_api.openapi import openapi_route
from user_api.problems import answer_error
from user_api.rate_limit import RateLimit
from user_api.routes import user_routes
from user_api.security_headers import SecurityHeaders
from user_api.server import serve_http
from user_api.settings import Settings
from user_api.time_limit import TimeLimit
from user_api.token_leases import TokenLeases
from user_api.token_share import Limit

log = structlog.get_logger()


async def serve(settings: Settings, stop: Stop) -> None:
    """Serve until `stop` is set, then finish what is in flight. Raises StartFailedError, TopologyError."""
    topology = load_topology(Path(settings.topology_file))
    async with open_pool("user-api", settings, stop) as pool, open_guard(settings, stop) as guard:
        context = Context(
            pool=pool, topology=topology, clock_offset=timedelta(seconds=settings.clock_offset_seconds)
        )
        app = Litestar(
            route_handlers=routes(context, stop, guard.checks, secured=settings.auth != "off"),
            exception_handlers={Exception: answer_error},
            openapi_config=None,
            logging_config=None,
        )
        limit = Limit(settings.rate_limit_per_second, settings.rate_limit_burst)
        forget = partial(forget_requests, context, unlimited_after=timedelta(seconds=limit.fills_within))
        with listen(settings.api_host, settings.api_port) as listener:
            log.info("service.ready", host=settings.api_host, port=settings.api_port)
            async with beside(forget, stop):
                await serve_http(
                    around(guard.before(limited(app, context, limit, settings)), settings),
                    listener,
                    stop,
                    drain_within=settings.drain_timeout_seconds,
                )


def limited(app: Litestar, context: Context, limit: Limit, settings: Settings) -> ASGIApp:
    """Put around the application, from the inside, what limits requests."""
    answer: ASGIApp = Idempotency(Methods(app), context)
    if settings.rate_limit == "on":
        answer = RateLimit(answer, TokenLeases(context, limit))
    return TimeLimit(
        answer,
        answer_within=settings.request_timeout_seconds,
        body_within=settings.request_body_timeout_seconds,
    )


@asynccontextmanager
async def beside(forget: Loop, stop: Stop) -> AsyncIterator[None]:
    """Run the loop for as long as the context is open."""
    running = asyncio.create_task(keep_running("forget_requests", forget, stop))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait((running,))


def routes(
    context: Context, stop: Stop, checks: Mapping[str, Check], *, secured: bool = True
) -> list[HTTPRouteHandler]:
    """Make all routes; `checks` are readiness's beside that of the database."""
    return [
        *user_routes(context),
        *import_routes(context),
        *occasion_routes(context),
        *occurrence_routes(context),
        *health_routes(context.pool, stop, checks),
        openapi_route(secured=secured),
        *docs_routes(),
    ]


def around(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Put around an application what every answer passes, whoever gave it: net, headers, log."""
    app = AlwaysAnswer(app)
    if settings.cors_origins:
        app = Cors(app, settings.cors_origins)
    return AccessLog(SecurityHeaders(app, local=settings.carillon_env == "local"))


def listen(host: str, port: int) -> socket.socket:
    """Take the port. Raises StartFailedError, which says whose it is."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise StartFailedError(f"API_HOST {host}, API_PORT {port}: {error.strerror or error}") from None
    # What it accepts inherits this: a body is written after its head, and would wait 40 ms for that to be
    # acknowledged. uvloop does it by itself; asyncio's own loop, in tests, not for a socket made outside.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
