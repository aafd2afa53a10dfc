from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from runtime.database import Connection
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.issuer import Issuer
from uuid_utils.compat import uuid7

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]
Deliver = Callable[..., Awaitable[str]]

NOW = datetime.now(UTC)
DEFAULT_ENDPOINT = "00000000-0000-8000-8000-000000000001"


@pytest.fixture
def deliver(admin: Connection) -> Deliver:
    """Store an event and its delivery as the worker would; return the delivery's id."""

    async def store(status: str = "failed", **columns: Any) -> str:  # noqa: ANN401 (columns)
        event_id = await admin.fetchval(
            """
            INSERT INTO delivery.events (event_id, user_id, event_type, priority, body, open)
            VALUES (gen_random_uuid(), $1, 'BirthdayDue', 0, $2, $3) RETURNING event_id
            """,
            columns.get("user_id") or uuid4(),
            columns.get("body", "{}"),
            int(status == "pending"),
        )
        delivery_id = await admin.fetchval(
            """
            INSERT INTO delivery.deliveries (
                id, event_id, endpoint_id, status, attempts, next_attempt_at, reason, created_at, settled_at,
                lease_token
            )
            VALUES (
                $8, $1, $2, $3, 1, $4, $5, $6, CASE WHEN $3 <> 'pending' THEN now() END, $7
            )
            RETURNING id
            """,
            event_id,
            columns.get("endpoint_id") or UUID(DEFAULT_ENDPOINT),
            status,
            columns.get("next_attempt_at", NOW + timedelta(hours=1)),
            columns.get("reason"),
            columns.get("created_at", NOW),
            columns.get("lease_token"),
            uuid7(),
        )
        return str(delivery_id)

    return store


async def ids(api: httpx.AsyncClient, **query: Any) -> list[str]:  # noqa: ANN401 (parameters)
    answer = await api.get("/delivery", params=query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_a_delivery_is_read_with_its_attempts_in_order(
    api: httpx.AsyncClient, admin: Connection, deliver: Deliver
) -> None:
    user_id = uuid4()
    id_ = await deliver("failed", user_id=user_id, reason="HTTP 404", created_at=NOW)
    row = await admin.fetchrow("SELECT * FROM delivery.deliveries")
    assert row is not None
    for attempt, status, error in ((2, 404, None), (1, None, "timeout")):
        await admin.execute(
            """
            INSERT INTO delivery.attempts (
                delivery_id, attempt, at, event_id, endpoint_id, status, latency_ms, error, lease_token,
                error_kind, resolve_ms, read_ms, response_headers, response_body, trace_id
            )
            VALUES (
                $1, $2, $3, $4, $5, $6, 12.34, $7, gen_random_uuid(), $7, 1.23, 0.5, '{"server": "nginx"}',
                'no', 'a trace'
            )
            """,
            row["id"],
            attempt,
            NOW + timedelta(seconds=attempt),
            row["event_id"],
            row["endpoint_id"],
            status,
            error,
        )

    answer = await api.get(f"/delivery/{id_}")

    assert answer.status_code == 200, answer.text
    told = answer.json()
    attempts = told.pop("attempts")
    assert [(one["attempt"], one["status"], one["error"], one["latencyMs"]) for one in attempts] == [
        (1, None, "timeout", 12.3),
        (2, 404, None, 12.3),
    ]
    assert {
        name: value for name, value in attempts[0].items() if name not in ("attempt", "at", "status")
    } == {
        "latencyMs": 12.3,
        "resolveMs": 1.2,
        "readMs": 0.5,
        "error": "timeout",
        "errorKind": "timeout",
        "responseHeaders": {"server": "nginx"},
        "responseBody": "no",
        "traceId": "a trace",
    }
    assert told == {
        "id": id_,
        "eventId": str(row["event_id"]),
        "eventType": "birthday.due",
        "userId": str(user_id),
        "endpointId": DEFAULT_ENDPOINT,
        "status": "failed",
        "reason": "HTTP 404",
        "attemptCount": 1,
        "nextAttemptAt": None,
        "createdAt": NOW.isoformat().replace("+00:00", "Z"),
        "settledAt": row["settled_at"].isoformat().replace("+00:00", "Z"),
    }
    [listed] = (await api.get("/delivery")).json()["items"]
    assert listed == told


async def test_deliveries_are_listed_the_newest_first_in_pages(
    api: httpx.AsyncClient, deliver: Deliver
) -> None:
    made = [await deliver() for _ in range(5)]

    first = await api.get("/delivery", params={"limit": 3, "status": "failed"})
    second = await api.get(first.links["next"]["url"])

    items = first.json()["items"] + second.json()["items"]
    assert [item["id"] for item in items] == made[::-1]
    assert (len(first.json()["items"]), second.json()["nextCursor"]) == (3, None)


async def test_each_filter_narrows_the_list(api: httpx.AsyncClient, deliver: Deliver) -> None:
    user_id, endpoint_id, hour = uuid4(), uuid4(), timedelta(hours=1)
    old = await deliver("delivered", created_at=NOW - 2 * hour)
    missed = await deliver("missed", endpoint_id=endpoint_id)
    theirs = await deliver("failed", user_id=user_id, created_at=NOW - hour)
    waiting = await deliver("pending", endpoint_id=endpoint_id)

    assert await ids(api) == [waiting, theirs, missed, old]
    assert await ids(api, endpointId=str(endpoint_id).upper()) == [waiting, missed]
    assert await ids(api, status="missed", endpointId=str(endpoint_id)) == [missed]
    assert await ids(api, userId=str(user_id)) == [theirs]
    assert await ids(api, since=(NOW - hour).isoformat()) == [waiting, theirs, missed]
    assert await ids(api, until=(NOW - hour).isoformat()) == [old]
    assert await ids(api, userId=str(user_id), status="pending") == []
    bad = await api.get("/delivery", params={"status": "lost", "since": "noon", "endpointId": "7", "of": ""})
    assert (bad.status_code, [error["field"] for error in bad.json()["errors"]]) == (400, ["of"])
    bad = await api.get("/delivery", params={"status": "lost", "since": "noon", "endpointId": "7"})
    assert [error["field"] for error in bad.json()["errors"]] == ["endpointId", "status", "since"]


@pytest.mark.parametrize("status", ["failed", "missed", "delivered"])
async def test_what_ended_is_pending_again_when_it_is_retried(
    api: httpx.AsyncClient, admin: Connection, deliver: Deliver, status: str
) -> None:
    id_ = await deliver(status, reason="HTTP 404")

    answer = await api.post(f"/delivery/{id_}/retry")
    again = await api.post(f"/delivery/{id_}/retry")

    assert (answer.status_code, again.status_code) == (202, 202)
    assert (answer.json()["status"], answer.json()["settledAt"]) == ("pending", None)
    assert again.json() == answer.json()
    row = await admin.fetchrow(
        """
        SELECT delivery.next_attempt_at <= now() AS is_due, attempts, attempts_before, event.open
        FROM delivery.deliveries AS delivery INNER JOIN delivery.events AS event USING (event_id)
        """
    )
    assert row is not None
    assert tuple(row) == (True, 1, 1, 1)


async def test_what_is_pending_is_tried_at_once_and_what_is_under_way_is_left_alone(
    api: httpx.AsyncClient, admin: Connection, deliver: Deliver
) -> None:
    waiting = await deliver("pending")
    await deliver("pending", lease_token=uuid4(), next_attempt_at=NOW + timedelta(hours=2))

    answers = [await api.post(f"/delivery/{id_}/retry") for id_ in await ids(api)]

    assert [answer.status_code for answer in answers] == [202, 202]
    rows = await admin.fetch("SELECT id, next_attempt_at <= now() AS is_due FROM delivery.deliveries")
    assert {str(row["id"]): row["is_due"] for row in rows}[waiting]
    assert sorted(row["is_due"] for row in rows) == [False, True]
    assert await admin.fetchval("SELECT sum(open) FROM delivery.events") == 2


async def test_what_cannot_be_sent_any_more_is_refused(
    api: httpx.AsyncClient, admin: Connection, deliver: Deliver
) -> None:
    endpoint = (await api.post("/endpoint", json=build.endpoint_body())).json()["id"]
    gone = [
        await deliver("cancelled"),
        await deliver("failed", body=""),
        await deliver("failed", endpoint_id=UUID(endpoint)),
    ]
    await api.delete(f"/endpoint/{endpoint}", headers={"If-Match": "*"})

    answers = [await api.post(f"/delivery/{id_}/retry") for id_ in gone]

    assert [answer.status_code for answer in answers] == [409] * 3
    assert {answer.json()["type"] for answer in answers} == {"urn:carillon:problem:nothing-to-send"}
    assert await admin.fetchval("SELECT sum(open) FROM delivery.events") == 0
    for path in (f"/delivery/{uuid4()}/retry", f"/delivery/{uuid4()}", f"/replay/{uuid4()}"):
        asked = api.post if path.endswith("retry") else api.get
        assert (await asked(path)).status_code == 404


async def test_a_replay_is_asked_for_once_and_tells_how_far_it_has_come(
    api: httpx.AsyncClient, admin: Connection, deliver: Deliver
) -> None:
    for status in ("failed", "failed", "missed", "delivered", "pending", "cancelled"):
        await deliver(status)
    asked = {"endpointId": DEFAULT_ENDPOINT, "since": "2026-01-01T00:00:00Z", "status": "failed"}
    key = {"Idempotency-Key": "after-the-outage"}

    answer = await api.post("/delivery/retry", json=asked, headers=key)
    again = await api.post("/delivery/retry", json=asked, headers=key)
    every = await api.post("/delivery/retry", json={**asked, "status": "any", "until": None})

    assert (answer.status_code, again.status_code, again.content) == (202, 202, answer.content)
    assert (answer.json()["count"], every.json()["count"]) == (2, 4)
    assert await admin.fetchval("SELECT count(*) FROM delivery.replays") == 2
    await admin.execute("UPDATE delivery.replays SET reopened = 1 WHERE statuses = '{failed}'")
    progress = await api.get(answer.headers["Location"])
    assert progress.json() == {**answer.json(), "reopened": 1}
    assert (progress.json()["status"], progress.json()["finishedAt"]) == ("failed", None)
    assert await admin.fetchval("SELECT requested_by FROM delivery.replays LIMIT 1") == "anonymous"


async def test_a_replay_that_says_nothing_sensible_names_every_field_at_fault(api: httpx.AsyncClient) -> None:
    asked = {"endpointId": DEFAULT_ENDPOINT, "since": "2026-01-01T00:00:00Z", "status": "failed"}
    for body, fields in (
        ([], ["body"]),
        ({}, ["endpointId", "since", "status"]),
        ({**asked, "until": asked["since"]}, ["until"]),
        ({**asked, "status": "pending", "since": 7, "colour": "red"}, ["since", "status", "colour"]),
    ):
        answer = await api.post("/delivery/retry", json=body)
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, fields)


async def test_users_see_and_replay_no_deliveries(
    database: FreshDatabase, environment: Environment, running: Running, deliver: Deliver
) -> None:
    user_id = uuid4()
    id_ = await deliver(user_id=user_id)
    async with Issuer() as issuer:
        issuer.add_key("first")
        async with running(environment(database.url("carillon_user_api"), **issuer.settings)) as api:
            for role, expected in (("service", [200, 200, 202]), ("user", [403, 403, 403])):
                token = {"Authorization": f"Bearer {issuer.token(role, sub=str(user_id))}"}
                answers = [
                    await api.get("/delivery", params={"userId": str(user_id)}, headers=token),
                    await api.get(f"/delivery/{id_}", headers=token),
                    await api.post(f"/delivery/{id_}/retry", headers=token),
                ]
                assert [answer.status_code for answer in answers] == expected
