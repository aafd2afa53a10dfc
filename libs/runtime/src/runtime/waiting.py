"""Starting: wait for what a service needs, with a readable message, and not for ever."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from runtime.stopping import Stop, describe, pause

log = structlog.get_logger()

T = TypeVar("T")
RETRY_EVERY = 0.25
SAY_EVERY = 5.0


class StartFailedError(Exception):
    """A dependency did not come in time; the message is one line that names it and why."""


class StoppedError(Exception):
    """The service was told to stop while it still waited to start."""


async def wait_for(what: str, attempt: Callable[[], Awaitable[T]], stop: Stop, *, within: float) -> T:
    """Return what `attempt` returns, tried every 0.25 s for `within` seconds while it raises.

    Raises StartFailedError at the deadline and StoppedError when `stop` is set first; an attempt that is
    under way then is cut off, because a dependency may take connections and never answer.
    """
    started = said = time.monotonic()
    log.debug("start.waiting", waiting_for=what)
    while not stop.is_set():
        try:
            left = within - (time.monotonic() - started)
            return await try_once(attempt, stop, within=max(left, RETRY_EVERY))
        except StoppedError:
            break
        except Exception as error:  # noqa: BLE001 (whatever it is, the dependency is not there yet)
            reason = describe(error)
        now = time.monotonic()
        if now - started >= within:
            raise StartFailedError(f"{what} did not come within {within:g} s: {reason}")
        if now - said >= SAY_EVERY or said == started:
            said = now
            log.info("start.waiting", waiting_for=what, reason=reason, seconds_so_far=round(now - started, 1))
        await pause(stop, RETRY_EVERY)
    raise StoppedError


async def try_once(attempt: Callable[[], Awaitable[T]], stop: Stop, *, within: float) -> T:
    """Return what `attempt` returns. Raises TimeoutError after `within` seconds, StoppedError at `stop`."""
    trying = asyncio.ensure_future(attempt())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((trying, stopping), timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if trying.done():
            return await trying
        if stopping.done():
            raise StoppedError
        raise TimeoutError("it does not answer")
    finally:
        trying.cancel()
        stopping.cancel()
        await asyncio.gather(trying, stopping, return_exceptions=True)
