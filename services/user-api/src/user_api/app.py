"""The composition root: the pool, the topology and the routes, served until told to stop."""

import socket
from datetime import timedelta
from pathlib import Path

import structlog
from litestar import Litestar
from litestar.types import ASGIApp
from messaging.topology import Topology, load_topology
from opentelemetry.trace import Tracer
from runtime.database import open_pool
from runtime.stopping import Stop
from runtime.telemetry import tracing
from runtime.waiting import StartFailedError

from user_api import __version__
from user_api.access_log import AccessLog
from user_api.always_answer import AlwaysAnswer
from user_api.auth.guard import open_guard
from user_api.context import Context
from user_api.cors import Cors
from user_api.health import health_routes
from user_api.openapi import openapi_route
from user_api.problems import answer_error
from user_api.routes import user_routes
from user_api.security_headers import SecurityHeaders
from user_api.server import serve_http
from user_api.settings import Settings
from user_api.trace_requests import TraceRequests

log = structlog.get_logger()


async def serve(settings: Settings, stop: Stop) -> None:
    """Serve until `stop` is set, then finish what is in flight. Raises StartFailedError, TopologyError."""
    topology = load_topology(Path(settings.topology_file))
    async with tracing("user-api", __version__, settings.carillon_env) as tracer:
        await serve_traced(settings, stop, topology, tracer)


async def serve_traced(settings: Settings, stop: Stop, topology: Topology, tracer: Tracer | None) -> None:
    """Serve, with a span for each request if there is a tracer."""
    # Its tables only grow, and a fifth of what PostgreSQL spends on a small statement is planning it.
    async with (
        open_pool("user-api", settings, stop, plan_anew=False) as pool,
        open_guard(settings, stop) as guard,
    ):
        context = Context(
            pool=pool, topology=topology, clock_offset=timedelta(seconds=settings.clock_offset_seconds)
        )
        handlers = [*user_routes(context), *health_routes(pool, stop, guard.checks)]
        app = Litestar(
            route_handlers=[*handlers, openapi_route(handlers)],
            exception_handlers={Exception: answer_error},
            openapi_config=None,
            logging_config=None,
        )
        with listen(settings.api_host, settings.api_port) as listener:
            log.info("service.ready", host=settings.api_host, port=settings.api_port)
            logged = around(guard.before(app), settings)
            await serve_http(
                logged if tracer is None else TraceRequests(logged, tracer),
                listener,
                stop,
                drain_within=settings.drain_timeout_seconds,
            )


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
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise StartFailedError(f"API_HOST {host}, API_PORT {port}: {error.strerror or error}") from None
