from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from runtime.database import Connection
from testkit.fresh_database import FreshDatabase
from testkit.issuer import Issuer

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]
Bury = Callable[..., Awaitable[str]]

NOW = datetime.now(UTC)


@pytest.fixture
def bury(admin: Connection) -> Bury:
    """Keep a dead letter as the worker would; return its id."""
    age = timedelta(minutes=10)

    async def keep(queue: str = "webhook-critical", status: str = "open") -> str:
        nonlocal age
        age -= timedelta(seconds=1)
        id_ = await admin.fetchval(
            """
            INSERT INTO delivery.dead_letters (
                id, queue, source, message_id, reason, event_type, attributes, body, received_at, status,
                redriven_at, lease_until
            )
            VALUES (
                gen_random_uuid(), $1, 'consumer', gen_random_uuid()::text, 'not JSON', 'BirthdayDue',
                '{"priority": {"type": "String", "value": "low"}}', 'oops', $2, $3,
                CASE WHEN $3 = 'redriven' THEN now() END, CASE WHEN $3 = 'redriving' THEN now() END
            )
            RETURNING id
            """,
            queue,
            NOW - age,
            status,
        )
        return str(id_)

    return keep


async def ids(api: httpx.AsyncClient, **query: Any) -> list[str]:  # noqa: ANN401 (parameters)
    answer = await api.get("/dead-letter", params=query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_dead_letters_are_listed_the_newest_first_and_read_whole(
    api: httpx.AsyncClient, bury: Bury
) -> None:
    made = [await bury() for _ in range(5)]

    first = await api.get("/dead-letter", params={"limit": 3, "queue": "webhook-critical"})
    second = await api.get(first.links["next"]["url"])
    items = first.json()["items"] + second.json()["items"]
    whole = await api.get(f"/dead-letter/{made[0]}")

    assert [item["id"] for item in items] == made[::-1]
    assert second.json()["nextCursor"] is None
    assert whole.json() == {
        **items[-1],
        "attributes": {"priority": {"type": "String", "value": "low"}},
        "body": "oops",
    }
    assert (items[-1]["reason"], items[-1]["status"], items[-1]["eventType"]) == (
        "not JSON",
        "open",
        "BirthdayDue",
    )
    unknown = await api.get(f"/dead-letter/{uuid4()}")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:carillon:problem:unknown-dead-letter")


async def test_those_of_one_moment_are_each_listed_once(
    api: httpx.AsyncClient, admin: Connection, bury: Bury
) -> None:
    made = {await bury() for _ in range(5)}
    await admin.execute("UPDATE delivery.dead_letters SET received_at = now()")

    first = await api.get("/dead-letter", params={"limit": 3})
    second = await api.get(first.links["next"]["url"])

    found = [item["id"] for page in (first, second) for item in page.json()["items"]]
    assert (len(found), set(found)) == (5, made)


async def test_each_filter_narrows_the_list(api: httpx.AsyncClient, bury: Bury) -> None:
    critical, low, back = await bury(), await bury("webhook-low"), await bury("webhook-low", "redriven")

    assert await ids(api) == [back, low, critical]
    assert await ids(api, queue="webhook-low") == [back, low]
    assert await ids(api, status="open") == [low, critical]
    bad = await api.get("/dead-letter", params={"queue": "A b", "status": "lost"})
    assert (bad.status_code, [error["field"] for error in bad.json()["errors"]]) == (400, ["queue", "status"])


async def test_those_that_are_open_are_asked_back_once_by_id_or_by_queue(
    api: httpx.AsyncClient, admin: Connection, bury: Bury
) -> None:
    one, other = await bury(), await bury()
    low, back = await bury("webhook-low"), await bury("webhook-low", "redriven")
    asked = {"ids": [one, back, str(uuid4())]}

    by_id = await api.post("/dead-letter/redrive", json=asked, headers={"Idempotency-Key": "once"})
    same = await api.post("/dead-letter/redrive", json=asked, headers={"Idempotency-Key": "once"})
    again = await api.post("/dead-letter/redrive", json=asked)
    by_queue = await api.post("/dead-letter/redrive", json={"queue": "webhook-low"})

    assert [(answer.status_code, answer.json()) for answer in (by_id, same, again, by_queue)] == [
        (202, {"count": 1}),
        (202, {"count": 1}),
        (202, {"count": 0}),
        (202, {"count": 1}),
    ]
    rows = await admin.fetch("SELECT id, status, redrive_requested_by AS by FROM delivery.dead_letters")
    assert {str(row["id"]): (row["status"], row["by"]) for row in rows} == {
        one: ("redriving", "anonymous"),
        other: ("open", None),
        low: ("redriving", "anonymous"),
        back: ("redriven", None),
    }


async def test_a_redrive_that_says_nothing_sensible_names_every_field_at_fault(
    api: httpx.AsyncClient,
) -> None:
    for body, fields in (
        ([], ["body"]),
        ({}, ["ids", "queue"]),
        ({"ids": [str(uuid4())], "queue": "webhook-low"}, ["ids", "queue"]),
        ({"ids": []}, ["ids"]),
        ({"ids": ["seven", 7]}, ["ids"]),
        ({"queue": 7, "colour": "red"}, ["queue", "colour"]),
    ):
        answer = await api.post("/dead-letter/redrive", json=body)
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, fields)


async def test_users_see_and_move_no_dead_letters(
    database: FreshDatabase, environment: Environment, running: Running, bury: Bury
) -> None:
    id_ = await bury()
    async with Issuer() as issuer:
        issuer.add_key("first")
        async with running(environment(database.url("carillon_user_api"), **issuer.settings)) as api:
            for role, expected in (("service", [200, 200, 202]), ("user", [403, 403, 403])):
                token = {"Authorization": f"Bearer {issuer.token(role, sub=str(uuid4()))}"}
                answers = [
                    await api.get("/dead-letter", headers=token),
                    await api.get(f"/dead-letter/{id_}", headers=token),
                    await api.post("/dead-letter/redrive", json={"ids": [id_]}, headers=token),
                ]
                assert [answer.status_code for answer in answers] == expected
