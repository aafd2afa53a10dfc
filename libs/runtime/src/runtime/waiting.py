"""Starting: wait for what a service needs, with a readable message, and not for ever."""

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

    Raises StartFailedError at the deadline and StoppedError when `stop` is set first.
    """
    started = said = time.monotonic()
    log.debug("start.waiting", waiting_for=what)
    while not stop.is_set():
        try:
            return await attempt()
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
