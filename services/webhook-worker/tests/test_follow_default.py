"""The default endpoint's URL is the parameter's, in a real parameter store: the engine's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from runtime.aws import open_ssm
from runtime.database import Pool
from runtime.encrypt import Keys
from runtime.settings import load_settings
from runtime.waiting import StartFailedError
from structlog.testing import capture_logs
from testkit.broker import Broker
from testkit.engine import REGION
from testkit.receiver import new_secret
from testkit.wait import eventually
from types_aiobotocore_ssm import SSMClient
from webhook_worker.endpoint import DEFAULT_ENDPOINT_ID
from webhook_worker.endpoints import Endpoints
from webhook_worker.follow_default import following_default
from webhook_worker.settings import Settings

Put = Callable[[str], Coroutine[Any, Any, None]]


@pytest.fixture
def name(broker: Broker) -> str:
    return f"/carillon/{broker.environment}/webhook-url"


@pytest.fixture
async def store(broker: Broker, name: str) -> AsyncIterator[SSMClient]:  # noqa: ARG001 (the engine must be up)
    async with open_ssm(REGION, connections=1) as client:
        yield client
        await client.delete_parameters(Names=[name])


@pytest.fixture
def put(store: SSMClient, name: str) -> Put:
    """Set the parameter."""

    async def put_url(url: str) -> None:
        await store.put_parameter(Name=name, Value=url, Type="SecureString", Overwrite=True)

    return put_url


@pytest.fixture
def settings(worker_environment: dict[str, str], encryption_keys: str, broker: Broker) -> Settings:
    return load_settings(
        Settings,
        {
            **worker_environment,
            "AWS_REGION": REGION,
            "CARILLON_ENV": broker.environment,
            "ENCRYPTION_KEYS": encryption_keys,
            "WEBHOOK_SECRET": new_secret(),
            "WEBHOOK_URL_REFRESH_SECONDS": "0.05",
            "START_TIMEOUT_SECONDS": "0.5",
        },
    )


@pytest.fixture
def endpoints(pool: Pool, keys: Keys) -> Endpoints:
    """Know no endpoint at all."""
    return Endpoints(pool, keys, None, most_time=timedelta(seconds=30))


def url_of(endpoints: Endpoints) -> str | None:
    default = endpoints.get(DEFAULT_ENDPOINT_ID)
    return default.url if default else None


async def test_it_is_known_at_once_follows_every_change_and_goes_with_the_parameter(
    endpoints: Endpoints, settings: Settings, put: Put, store: SSMClient, name: str
) -> None:
    stop = asyncio.Event()
    await put(" https://example.com/first\n")
    async with following_default(endpoints, settings, stop) as loops:
        assert url_of(endpoints) == "https://example.com/first"
        [(_, follow)] = loops.items()
        following = asyncio.ensure_future(follow(stop))

        await put("https://example.com/second")
        await eventually(lambda: url_of(endpoints) == "https://example.com/second")
        with capture_logs() as logs:
            await put("https://10.0.0.1/inside")
            await eventually(lambda: [line for line in logs if line["event"] == "default_endpoint.refused"])
        assert url_of(endpoints) == "https://example.com/second"
        await endpoints.refresh()
        assert url_of(endpoints) == "https://example.com/second"

        await store.delete_parameter(Name=name)
        await eventually(lambda: endpoints.default_id() is None)
        stop.set()
        await following


async def test_without_the_parameter_there_is_none(
    endpoints: Endpoints,
    settings: Settings,
    store: SSMClient,  # noqa: ARG001 (removes what there is)
) -> None:
    async with following_default(endpoints, settings, asyncio.Event()) as loops:
        assert len(loops) == 1
        assert endpoints.default_id() is None


async def test_nothing_starts_with_a_value_that_cannot_be_one(
    endpoints: Endpoints, settings: Settings, put: Put, name: str
) -> None:
    for value in ("example.com", "https://", "http://10.0.0.1/"):
        await put(value)
        with pytest.raises(StartFailedError, match=name):
            async with following_default(endpoints, settings, asyncio.Event()):
                pass
