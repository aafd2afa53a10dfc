"""The composition root: the pool, the topology and the routes, served until told to stop."""

import socket
from datetime import timedelta
from pathlib import Path

import structlog
from litestar import Litestar
from litestar.types import ASGIApp
from messaging.topology import load_topology
from runtime.database import open_pool
from runtime.stopping import Stop
from runtime.waiting import StartFailedError

from user_api.access_log import AccessLog
from user_api.always_answer import AlwaysAnswer
from user_api.auth.guard import open_guard
from user_api.context import Context
from user_api.cors import Cors
from user_api.health import health_routes
from user_api.openapi import openapi_route
from user_api.problems import answer_error
from user_api.read_your_writes import ReadYourWrites
from user_api.replica import open_replica
from user_api.routes import user_routes
from user_api.security_headers import SecurityHeaders
from user_api.server import serve_http
from user_api.settings import Settings

log = structlog.get_logger()


async def serve(settings: Settings, stop: Stop) -> None:
    """Serve until `stop` is set, then finish what is in flight. Raises StartFailedError, TopologyError."""
    topology = load_topology(Path(settings.topology_file))
    async with (
        open_pool("user-api", settings, stop) as pool,
        open_replica(settings, pool, stop) as replica,
        open_guard(settings, stop) as guard,
    ):
        context = Context(
            pool=pool,
            topology=topology,
            clock_offset=timedelta(seconds=settings.clock_offset_seconds),
            replica=replica,
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
            await serve_http(
                around(guard.before(inside(app, context, settings)), settings),
                listener,
                stop,
                drain_within=settings.drain_timeout_seconds,
            )


def inside(app: ASGIApp, context: Context, settings: Settings) -> ASGIApp:
    """Put around an application what a request passes once its caller is known."""
    if context.replica is not None:
        app = ReadYourWrites(
            app, behind_seconds=settings.replica_lag_seconds, local=settings.carillon_env == "local"
        )
    return app


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
