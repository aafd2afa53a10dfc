import asyncio
import json
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest_asyncio
from runtime.database import Connection
from testkit.api_process import ApiProcess
from testkit.ports import free_port
from testkit.wait import eventually

Command = Callable[..., Awaitable[Process]]
Said = Callable[..., Coroutine[Any, Any, tuple[int | None, str, str]]]

ENDPOINT = "0198c0de-9c3d-7e5f-a061-7c8d9e0f1a2b"
DELIVERIES = """
WITH events AS (
    INSERT INTO delivery.events (event_id, user_id, event_type, priority, body, open)
    SELECT gen_random_uuid(), gen_random_uuid(), 'BirthdayDue', 0, '{}', 0 FROM generate_series(1, 3)
    RETURNING event_id
)
INSERT INTO delivery.deliveries (
    id, event_id, endpoint_id, status, next_attempt_at, reason, settled_at, attempts
)
SELECT delivery.new_id(), event_id, $1, 'failed', now(), 'HTTP 404', now(), 1 FROM events
"""
ATTEMPTS = """
INSERT INTO delivery.attempts (
    delivery_id, attempt, at, event_id, endpoint_id, status, latency_ms, lease_token, response_body
)
SELECT id, 1, now(), event_id, endpoint_id, 404, 12.3, gen_random_uuid(), 'no [such] hook'
FROM delivery.deliveries
"""
DEAD_LETTERS = """
INSERT INTO delivery.dead_letters (id, queue, source, message_id, reason, attributes, body)
SELECT gen_random_uuid(), queue, 'consumer', gen_random_uuid()::text, 'not JSON', '{}', 'oops'
FROM unnest('{webhook-low,webhook-low,webhook-high}'::text[]) AS queue
"""


@pytest_asyncio.fixture
async def said(api: ApiProcess, carillon: Command) -> Said:
    """Run the command against the API; return its exit code and what it wrote."""

    async def run(*arguments: str) -> tuple[int | None, str, str]:
        process = await carillon(*arguments, CARILLON_API_URL=api.url)
        async with asyncio.timeout(30):
            out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()

    return run


async def test_deliveries_are_listed_shown_and_sent_again(said: Said, admin: Connection) -> None:
    await admin.execute(DELIVERIES, ENDPOINT)
    await admin.execute(ATTEMPTS)

    code, out, err = await said("deliveries", "list", "--status", "failed", "--endpoint", ENDPOINT)
    assert (code, err, out.count("HTTP 404"), out.count(ENDPOINT)) == (0, "", 3, 3)
    code, out, _ = await said("deliveries", "list", "--limit", "2", "--json")
    first, second = json.loads(out)
    assert first["id"] > second["id"]

    code, out, _ = await said("deliveries", "show", first["id"])
    assert (code, first["eventId"] in out, "no [such] hook" in out, "12.3" in out) == (0, True, True, True)
    code, out, _ = await said("deliveries", "show", first["id"], "--json")
    assert json.loads(out)["attempts"][0]["responseBody"] == "no [such] hook"

    code, out, _ = await said("deliveries", "retry", first["id"], "--json")
    assert (code, json.loads(out)["status"]) == (0, "pending")
    replay = ("deliveries", "retry", "--endpoint", ENDPOINT, "--since", "2026-01-01T00:00:00Z")
    code, out, _ = await said(*replay, "--no-wait")
    assert (code, out) == (0, "0 of 2 deliveries are on their way again\n")

    # The last is opened by a worker, and the command waits for that.
    waiting = asyncio.create_task(said(*replay))
    await eventually(lambda: asked(admin, 2), message="no replay was asked for")
    assert not waiting.done()
    await admin.execute("UPDATE delivery.replays SET reopened = 2, finished_at = now()")
    assert await waiting == (0, "2 of 2 deliveries are on their way again\n", "")


async def asked(admin: Connection, replays: int) -> bool:
    return bool(await admin.fetchval("SELECT count(*) = $1 FROM delivery.replays", replays))


async def test_dead_letters_are_listed_shown_and_sent_back(said: Said, admin: Connection) -> None:
    await admin.execute(DEAD_LETTERS)

    code, out, err = await said("dead-letters", "list")
    assert (code, err, out.count("not JSON"), out.count("webhook-low")) == (0, "", 3, 2)
    _, out, _ = await said("dead-letters", "list", "--queue", "webhook-high", "--json")
    [high] = json.loads(out)
    code, out, _ = await said("dead-letters", "show", high["id"])
    assert (code, "oops" in out, high["messageId"] in out) == (0, True, True)

    assert await said("dead-letters", "redrive", high["id"]) == (
        0,
        "1 dead letters are on their way back\n",
        "",
    )
    code, out, _ = await said("dead-letters", "redrive", "--queue", "webhook-low", "--json")
    assert (code, json.loads(out)) == (0, {"count": 2})
    _, out, _ = await said("dead-letters", "list", "--status", "open", "--json")
    assert json.loads(out) == []


async def test_what_cannot_be_done_is_one_line_and_exit_code_2(said: Said) -> None:
    for arguments, expected in (
        (("deliveries", "show", "seven"), "the API answered 400: id is not a UUID"),
        (("deliveries", "show", ENDPOINT), "the API answered 404: There is no delivery of this id"),
        (("deliveries", "retry", "--endpoint", ENDPOINT), "retry takes a delivery's id, or --endpoint and"),
        (("deliveries", "list", "--since", "noon"), "the API answered 400: since is not an instant"),
        (("dead-letters", "redrive"), "redrive takes ids of dead letters, or --queue"),
        (("dead-letters", "list", "--api-url", f"http://127.0.0.1:{free_port()}"), "cannot ask http://127"),
    ):
        code, out, err = await said(*arguments)
        assert (code, out, err.startswith(f"carillon: {expected}"), err.count("\n")) == (2, "", True, 1), err
