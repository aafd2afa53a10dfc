"""Lambda: a service's work as a function that AWS calls; what it needs is opened once an instance."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import cache
from typing import Any, Protocol, TypeVar

import uvloop

from runtime.logs import configure_logs
from runtime.read_secrets import with_secrets
from runtime.settings import ServiceSettings, load_settings
from runtime.stopping import Stop

# Kept free at the end of a call's time, for what is under way to be finished and told.
FINISHING_SECONDS = 5.0

S = TypeVar("S", bound=ServiceSettings)
# The event as AWS hands it over, decoded; and what the call answers, as JSON can say it.
Event = dict[str, Any]
Answer = dict[str, Any] | None
Work = Callable[[Event, Stop], Awaitable[Answer]]
Handler = Callable[[Event, "Context"], Answer]


class Context(Protocol):
    """What is read of the second argument that Lambda calls a handler with."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long this call may still take."""


def lambda_handler(
    name: str, settings_type: type[S], open_work: Callable[[S], AbstractAsyncContextManager[Work]]
) -> Handler:
    """Return a handler for Lambda that does the work that `open_work` opens at the first call.

    A call's `stop` is set 5 s before its time is over. Whatever is raised is the function's error; a missing
    or bad variable is SettingsError at every call, as nothing is kept of a start that failed.
    """

    @cache
    def start() -> tuple[asyncio.Runner, object, Work]:
        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        try:
            os.environ.update(runner.run(with_secrets(os.environ)))  # asyncpg reads PGPASSWORD by itself
            settings = load_settings(settings_type, os.environ)
            configure_logs(name, form=settings.log_format, level=settings.log_level)
            # Lambda ends an instance without a word: nobody closes what is opened, and nobody may before.
            opened = open_work(settings)
            return runner, opened, runner.run(opened.__aenter__())
        except BaseException:
            runner.close()
            raise

    def handle(event: Event, context: Context) -> Answer:
        runner, _, work = start()
        return runner.run(within(context.get_remaining_time_in_millis() / 1000, work, event))

    return handle


async def within(seconds: float, work: Work, event: Event) -> Answer:
    """Do the work, which is told to stop shortly before `seconds` are over."""
    stop = asyncio.Event()
    soon = asyncio.get_running_loop().call_later(max(0.0, seconds - FINISHING_SECONDS), stop.set)
    try:
        return await work(event, stop)
    finally:
        soon.cancel()
