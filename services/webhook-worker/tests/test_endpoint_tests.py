import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import jsonschema_rs
import msgspec
import pytest
from runtime.database import Connection, Pool
from testkit.receiver import Receiver
from testkit.repository import find_topology
from testkit.wait import eventually
from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import Endpoint
from webhook_worker.endpoints import Endpoints
from webhook_worker.make_endpoint_tests import make_endpoint_tests

Post = Callable[[Endpoint, Delivery], Coroutine[Any, Any, Attempt]]
Register = Callable[..., Coroutine[Any, Any, UUID]]
Tried = Callable[[UUID], Awaitable[asyncpg.Record]]


@asynccontextmanager
async def a_tester(pool: Pool, endpoints: Endpoints, post: Post) -> AsyncIterator[None]:
    stop = asyncio.Event()
    loop = asyncio.create_task(make_endpoint_tests(pool, endpoints, post, timedelta(0), stop))
    try:
        yield
    finally:
        stop.set()
        await loop


@pytest.fixture
def tried(pool: Pool, endpoints: Endpoints, post: Post, admin: Connection) -> Tried:
    """Ask for a test as the API does, have it made, and return what is stored."""

    async def ask(endpoint_id: UUID) -> asyncpg.Record:
        test_id = uuid4()
        await admin.execute("SELECT delivery.request_endpoint_test($1, $2)", test_id, endpoint_id)

        async def ended() -> list[asyncpg.Record]:
            query = "SELECT * FROM delivery.endpoint_tests WHERE id = $1 AND ended_at IS NOT NULL"
            return await admin.fetch(query, test_id)

        async with a_tester(pool, endpoints, post):
            [row] = await eventually(ended, message="the test has not ended")
            return row

    return ask


async def test_a_test_is_signed_and_sent_as_any_webhook_and_what_came_back_is_kept(
    tried: Tried, register: Register, other: Receiver, admin: Connection, pytestconfig: pytest.Config
) -> None:
    endpoint_id = await register(other, headers={"X-Team": "tests"}, event_types=["birthday.due"])
    other.reply_with([201])

    row = await tried(endpoint_id)

    [post] = other.deliveries
    assert (post.valid, post.headers["x-team"], post.webhook_id) == (True, "tests", str(row["id"]))
    assert (row["status"], row["error"], 0 < row["latency_ms"] < 10_000) == (201, None, True)
    schema = find_topology(pytestconfig.rootpath).with_name("webhooks") / "endpoint-test.schema.json"
    validator = jsonschema_rs.Draft202012Validator(
        msgspec.json.decode(schema.read_bytes()), validate_formats=True
    )
    assert [*validator.iter_errors(post.body)] == []
    assert (post.body["endpointId"], post.body["eventId"]) == (str(endpoint_id), str(row["id"]))
    assert await admin.fetchval("SELECT count(*) FROM delivery.events") == 0
    assert await admin.fetchval("SELECT count(*) FROM outbox.messages") == 0


async def test_a_disabled_endpoint_can_be_tested_and_what_does_not_answer_is_tried_once(
    tried: Tried, register: Register, other: Receiver
) -> None:
    endpoint_id = await register(other, enabled=False)
    other.reply_with([503, 503])

    assert (await tried(endpoint_id))["status"] == 503
    assert len(other.deliveries) == 1


async def test_why_there_was_no_answer_is_kept(
    tried: Tried, register: Register, other: Receiver, admin: Connection
) -> None:
    closed = await register(other)
    await admin.execute("UPDATE delivery.endpoints SET url = 'http://10.0.0.1/'")
    inside = await tried(closed)
    gone = await tried(uuid4())

    assert (inside["status"], "address not allowed" in inside["error"]) == (None, True)
    assert "removed" in gone["error"]
    assert other.deliveries == []


async def test_a_test_that_nobody_waits_for_any_more_is_not_made(
    pool: Pool, endpoints: Endpoints, post: Post, register: Register, other: Receiver, admin: Connection
) -> None:
    endpoint_id = await register(other)
    old, new = uuid4(), uuid4()
    await admin.execute("SELECT delivery.request_endpoint_test($1, $2)", old, endpoint_id)
    await admin.execute("UPDATE delivery.endpoint_tests SET requested_at = now() - interval '1 minute'")
    await admin.execute("SELECT delivery.request_endpoint_test($1, $2)", new, endpoint_id)

    async with a_tester(pool, endpoints, post), a_tester(pool, endpoints, post):
        await eventually(lambda: other.deliveries, message="no test came")

    assert [post.webhook_id for post in other.deliveries] == [str(new)]
