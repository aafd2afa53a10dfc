"""`python -m carillon_local.console`: the console as a process of its own, until SIGTERM or SIGINT."""

import asyncio
import os
import signal
import sys
from typing import Annotated

import httpx
from aiohttp import web
from msgspec import Meta, Struct
from runtime.settings import Port, SettingsError, load_settings
from testkit.ports import LOOPBACK

from carillon_local.console import REQUEST_ID
from carillon_local.console.serve import Console
from carillon_local.console.watch_flow import Watch

TIMEOUT_SECONDS = 2.0
AUTH = ("AUTH", "JWT_SECRET", "JWT_ISSUER", "JWT_AUDIENCE", "LOCAL_DIR")


class Settings(Struct, frozen=True, kw_only=True):
    """The console's environment; `metrics_urls` is `service=url` with commas between."""

    console_port: Port
    api_url: str
    metrics_urls: Annotated[str, Meta(pattern="^[a-z-]+=[^,=]+(,[a-z-]+=[^,=]+)*$")]


async def serve(settings: Settings) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    urls = dict(pair.split("=", 1) for pair in settings.metrics_urls.split(","))
    # No connection is kept: a service that is to stop would wait for us to close it.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(
        trust_env=False, timeout=TIMEOUT_SECONDS, limits=limits, headers={"X-Request-Id": REQUEST_ID}
    ) as http:
        watch = Watch(http, urls)
        auth = {name: os.environ[name] for name in AUTH if name in os.environ}
        console = Console(http, watch, api_url=settings.api_url, api_auth=auth)
        runner = web.AppRunner(console.application(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, settings.console_port).start()
            watching = asyncio.create_task(watch.run())
            await stop.wait()
            watching.cancel()
        finally:
            await runner.cleanup()


def main() -> None:
    """Run; a bad variable is one line and exit 2, a taken port one line and exit 1."""
    try:
        asyncio.run(serve(load_settings(Settings, os.environ)))
    except SettingsError as error:
        sys.stderr.write(f"console: {error}\n")
        sys.exit(2)
    except OSError as error:
        sys.stderr.write(f"console: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
