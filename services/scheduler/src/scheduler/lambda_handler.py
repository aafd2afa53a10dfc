"""The scheduler as a Lambda function, called every minute: a call is a round (`scheduler.once`)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.lambda_function import Event, Work, lambda_handler
from runtime.stopping import Stop

from scheduler.once import once
from scheduler.settings import Settings


@asynccontextmanager
async def open_rounds(settings: Settings) -> AsyncIterator[Work]:
    """Keep nothing between rounds: hardly a connection would outlive the minute that the instance sleeps."""

    async def play(_event: Event, stop: Stop) -> None:
        await once(settings, stop)

    yield play


handler = lambda_handler("scheduler", Settings, open_rounds)
