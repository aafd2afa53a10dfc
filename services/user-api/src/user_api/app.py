"""The composition root: the pool, the topology and the routes, served until told to stop."""

import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from messaging.topology import load_topology
from runtime.database import open_pool
from runtime.encrypt import read_keys
from runtime.health import Check
from runtime.stopping import Stop, beside
from runtime.telemetry import telemetry
from runtime.waiting import StartFailedError

from user_api import __version__
from user_api.auth.guard import open_guard
from user_api.context import Context
from user_api.dead_letter_routes import dead_letter_routes
from user_api.delivery_routes import delivery_routes
from user_api.docs_routes import docs_routes
from user_api.endpoint_routes import endpoint_routes
from user_api.event_type_routes import event_type_routes
from user_api.forget_requests import forget_requests
from user_api.health import health_routes
from user_api.import_routes import import_routes
from user_api.layers import layered
from user_api.metrics_route import metrics_route
from user_api.occasion_routes import occasion_routes
from user_api.occurrence_routes import occurrence_routes
from user_api.openapi import openapi_route
from user_api.pause_routes import pause_routes
from user_api.problems import answer_error
from user_api.replica import open_replica
from user_api.routes import user_routes
from user_api.server import serve_http
from user_api.settings import Settings
from user_api.trace_requests import TraceRequests

log = structlog.get_logger()


async def serve(settings: Settings, stop: Stop) -> None:
    """Serve until `stop` is set, then finish what is in flight. Raises StartFailedError, TopologyError."""
    topology = load_topology(Path(settings.topology_file))
    async with AsyncExitStack() as opened:
        tracer = await opened.enter_async_context(telemetry("user-api", __version__, settings.carillon_env))
        # Its tables only grow, and a third of what PostgreSQL spends on a small statement is planning it.
        pool = await opened.enter_async_context(open_pool("user-api", settings, stop, plan_anew=False))
        replica = await opened.enter_async_context(open_replica(settings, pool, stop))
        guard = await opened.enter_async_context(open_guard(settings, stop))
        context = Context(
            pool=pool,
            topology=topology,
            clock_offset=timedelta(seconds=settings.clock_offset_seconds),
            replica=replica,
            keys=read_keys(settings.encryption_keys),
        )
        unlimited_after = timedelta(seconds=settings.limit.fills_within)
        forget = partial(forget_requests, context, unlimited_after=unlimited_after)
        await opened.enter_async_context(beside("forget_requests", forget, stop))
        app = Litestar(
            route_handlers=routes(context, stop, guard.checks, secured=settings.auth != "off"),
            exception_handlers={Exception: answer_error},
            openapi_config=None,
            logging_config=None,
        )
        listener = opened.enter_context(listen(settings.api_host, settings.api_port))
        log.info("service.ready", host=settings.api_host, port=settings.api_port)
        answer = layered(app, guard, context, settings)
        await serve_http(
            answer if tracer is None else TraceRequests(answer, tracer),
            listener,
            stop,
            drain_within=settings.drain_timeout_seconds,
        )


def routes(
    context: Context, stop: Stop, checks: Mapping[str, Check], *, secured: bool = True
) -> list[HTTPRouteHandler]:
    """Make all routes; `checks` are readiness's beside that of the database."""
    return [
        *user_routes(context),
        *import_routes(context),
        *occasion_routes(context),
        *occurrence_routes(context),
        *pause_routes(context),
        *event_type_routes(context),
        *endpoint_routes(context),
        *delivery_routes(context),
        *dead_letter_routes(context),
        *health_routes(context.pool, stop, checks),
        metrics_route(),
        openapi_route(secured=secured),
        *docs_routes(),
    ]


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
