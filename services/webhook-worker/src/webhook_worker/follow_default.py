"""The default endpoint in the parameter store: read before anything is accepted, and again every minute."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog
from runtime.aws import open_ssm
from runtime.public_address import read_networks
from runtime.stopping import Loop, Stop, pause
from runtime.waiting import wait_for
from types_aiobotocore_ssm import SSMClient

from webhook_worker.endpoint import Endpoint, default_endpoint
from webhook_worker.endpoints import Endpoints
from webhook_worker.settings import Settings, check_url

log = structlog.get_logger()


@asynccontextmanager
async def following_default(
    endpoints: Endpoints, settings: Settings, stop: Stop
) -> AsyncIterator[dict[str, Loop]]:
    """Give the loop that follows the default endpoint's URL, which has been read once by then.

    None where WEBHOOK_URL fixes it, or where nothing is there to sign with. What is accepted without
    a default endpoint goes nowhere, so nothing is until it is known. Raises StartFailedError.
    """
    if settings.webhook_url or not settings.webhook_secret:
        yield {}
        return
    async with open_ssm(settings.aws_region, connections=1) as store:
        read = partial(read_default, store, endpoints, settings)
        await wait_for(parameter_of(settings), read, stop, within=settings.start_timeout_seconds)
        yield {"read default endpoint": partial(follow_default, store, endpoints, settings)}


async def follow_default(store: SSMClient, endpoints: Endpoints, settings: Settings, stop: Stop) -> None:
    """Read it anew until `stop` is set; a value that cannot be one changes nothing."""
    while not stop.is_set():
        await pause(stop, settings.webhook_url_refresh_seconds)
        try:
            await read_default(store, endpoints, settings)
        except ValueError as error:
            log.error("default_endpoint.refused", reason=str(error))  # noqa: TRY400 (it is all there is to say)


async def read_default(store: SSMClient, endpoints: Endpoints, settings: Settings) -> None:
    """Take the parameter over; without it there is no default endpoint. Raises ValueError for a bad value."""
    name = parameter_of(settings)
    try:
        answer = await store.get_parameter(Name=name, WithDecryption=True)
    except store.exceptions.ParameterNotFound:
        endpoints.set_default(None)
        return
    url = answer["Parameter"]["Value"].strip()
    check_url(url, read_networks(settings.webhook_allow_networks), name=f"the parameter {name}")
    endpoints.set_default(default_of(settings, url))


def parameter_of(settings: Settings) -> str:
    """Return the parameter's name."""
    return f"/carillon/{settings.carillon_env}/webhook-url"


def default_of(settings: Settings, url: str) -> Endpoint | None:
    """Return the default endpoint at a URL; None at ""."""
    timeout = timedelta(seconds=settings.webhook_timeout_seconds)
    return default_endpoint(url, settings.webhook_secret, timeout=timeout) if url else None
