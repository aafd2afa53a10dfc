"""Running: settings, logs, then the service until SIGTERM or SIGINT; every way of failing is one line."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
import uvloop

from runtime.garbage import look_for_garbage_less
from runtime.logs import configure_logs
from runtime.open_files import allow_more_open_files
from runtime.settings import ServiceSettings, SettingsError, load_settings
from runtime.stopping import Stop
from runtime.waiting import StartFailedError, StoppedError

log = structlog.get_logger()

S = TypeVar("S", bound=ServiceSettings)

EXIT_FAILED = 1
EXIT_BAD_SETTINGS = 2


class FailedError(Exception):
    """The service could not do what it was started for; the message is one line that says why."""


def run_service(name: str, settings_type: type[S], serve: Callable[[S, Stop], Awaitable[None]]) -> None:
    """Run `serve` until it returns; `stop` is set on SIGTERM and SIGINT.

    Exits 2 with one line that names the variable when a setting is missing or bad, and 1 with one line
    when something the service needs did not come in time, or `serve` raises FailedError.
    """
    try:
        settings = load_settings(settings_type, os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{name}: {error}\n")
        sys.exit(EXIT_BAD_SETTINGS)
    configure_logs(name, form=settings.log_format, level=settings.log_level)
    look_for_garbage_less()
    allow_more_open_files()

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        log.info("service.starting", pid=os.getpid())
        await serve(settings, stop)
        log.info("service.stopped")

    try:
        uvloop.run(until_stopped())
    except SettingsError as error:
        sys.stderr.write(f"{name}: {error}\n")
        sys.exit(EXIT_BAD_SETTINGS)
    except StoppedError:
        log.info("service.stopped")
    except (StartFailedError, OSError) as error:
        log.error("service.failed_to_start", error=str(error))  # noqa: TRY400 (one line, no traceback)
        sys.stderr.write(f"{name}: {error}\n")
        sys.exit(EXIT_FAILED)
    except FailedError as error:
        log.exception("service.failed", error=str(error), exc_info=error.__cause__)
        sys.stderr.write(f"{name}: {error}\n")
        sys.exit(EXIT_FAILED)
