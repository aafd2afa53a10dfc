import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from messaging.consume import Received
from runtime.database import Connection, Pool
from runtime.encrypt import Keys, new_key, read_keys
from structlog.testing import capture_logs
from testkit.receiver import Receiver, new_secret
from testkit.wait import eventually
from webhook_worker.delivery import Delivery
from webhook_worker.endpoint import Endpoint
from webhook_worker.endpoints import Endpoints

Due = Callable[..., Received]
Register = Callable[..., Coroutine[Any, Any, UUID]]
Rotate = Callable[[UUID, str], Awaitable[None]]
Take = Callable[..., Coroutine[Any, Any, list[Delivery]]]


async def test_what_changes_is_known_after_the_next_reading_and_what_is_removed_is_gone(
    endpoints: Endpoints, register: Register, receiver: Receiver, admin: Connection
) -> None:
    kept, removed = await register(receiver), await register(receiver)
    await endpoints.refresh()
    before = endpoints.get(kept)

    await admin.execute("SELECT delivery.remove_endpoint($1)", removed)
    await admin.execute(
        "UPDATE delivery.endpoints SET url = 'https://example.com/', version = version + 1 WHERE id = $1",
        kept,
    )
    stop = asyncio.Event()
    keeping = asyncio.create_task(endpoints.keep(stop, every_seconds=60))
    await eventually(lambda: endpoints.get(removed) is None)
    stop.set()
    await keeping

    after = endpoints.get(kept)
    assert before is not None
    assert after is not None
    assert (before.url, after.url) == (receiver.url, "https://example.com/")


async def test_what_has_not_changed_is_not_decrypted_again(
    endpoints: Endpoints, register: Register, receiver: Receiver
) -> None:
    endpoint_id = await register(receiver)
    await endpoints.refresh()
    known = endpoints.get(endpoint_id)

    await endpoints.refresh()

    assert endpoints.get(endpoint_id) is known


async def test_a_delivery_leased_for_a_newer_version_is_not_sent_with_what_was_known_before(
    endpoints: Endpoints, register: Register, rotate: Rotate, take: Take, due: Due, receiver: Receiver
) -> None:
    endpoint_id = await register(receiver)
    await endpoints.refresh()
    await rotate(endpoint_id, new_secret())

    await endpoints.know(await take(due()))

    known = endpoints.get(endpoint_id)
    assert known is not None
    assert (known.version, len(known.signers)) == (2, 2)


async def test_an_endpoint_that_cannot_be_decrypted_costs_no_other_and_is_told_once(
    pool: Pool, endpoint: Endpoint, register: Register, receiver: Receiver
) -> None:
    endpoint_id = await register(receiver)
    endpoints = Endpoints(pool, read_keys(new_key("other")), endpoint, most_time=timedelta(seconds=30))

    with capture_logs() as logged:
        await endpoints.refresh()
        await endpoints.refresh()

    assert endpoints.get(endpoint_id) is None
    assert endpoints.enabled() == [endpoint]
    assert [(line["event"], line["error"]) for line in logged] == [
        ("endpoint.unreadable", "there is no key 'test' in ENCRYPTION_KEYS")
    ]


@pytest.mark.parametrize(("asked", "given"), [(7, 7), (30, 10)])
async def test_an_endpoint_has_its_own_timeout_up_to_the_workers(
    pool: Pool, keys: Keys, register: Register, receiver: Receiver, asked: int, given: int
) -> None:
    endpoint_id = await register(receiver, timeout_seconds=asked)
    endpoints = Endpoints(pool, keys, None, most_time=timedelta(seconds=10))

    await endpoints.refresh()

    known = endpoints.get(endpoint_id)
    assert known is not None
    assert known.timeout == timedelta(seconds=given)
