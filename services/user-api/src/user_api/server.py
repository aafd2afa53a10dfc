"""uvicorn, run inside the service: signals are the service's, and a drain answers until the last moment."""

import asyncio
import gc
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from litestar.types import ASGIApp
from runtime.stopping import Stop

from user_api.bounded_protocol import BoundedProtocol

log = structlog.get_logger()

# Of the drain, what is left to requests that came during it, and to closing connections.
LAST_SHARE = 0.3
# Longer than the 60 s a load balancer keeps an idle connection: the one that closes first must not be us.
KEEP_ALIVE_SECONDS = 75


class Server(uvicorn.Server):
    """uvicorn's server without its signal handlers."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: run_service has them, and uvicorn would raise them again after its drain."""
        yield


async def serve_http(app: ASGIApp, listener: socket.socket, stop: Stop, *, drain_within: float) -> None:
    """Serve `app` on `listener` until `stop` is set and in-flight requests are done, or `drain_within` s."""
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        # Whom to believe about X-Forwarded-For is the edge's setting; until there is one, nobody.
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = Server(config)
    gc.freeze()  # what there is now stays: to look for garbage among it again and again took 3 % of a request
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    await drain(server, drain_within)
    await serving


async def drain(server: Server, within: float) -> None:
    """Let what is in flight finish while /health/ready already says 503, then let uvicorn close.

    The port stays open meanwhile, so that a load balancer sees the 503 and not a refused connection.
    """
    deadline = asyncio.get_running_loop().time() + within
    if in_flight := set(server.server_state.tasks):
        log.info("service.draining", in_flight=len(in_flight))
        await asyncio.wait(in_flight, timeout=within * (1 - LAST_SHARE))
    server.config.timeout_graceful_shutdown = max(0, int(deadline - asyncio.get_running_loop().time()))
    server.should_exit = True
