import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.issuer import Issuer

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]
KeptOf = Callable[[str], Awaitable[Any]]

WHOLE = {
    "url": "https://partner.example.com:8443/hooks/carillon?from=carillon",
    "eventTypes": ["birthday.due", "reminder.due"],
    "description": "Greeting cards",
    "headers": {"Authorization": "Bearer hunter2", "X-Api-Key": "swordfish"},
    "rateLimit": 50,
    "concurrency": 5,
    "timeoutSeconds": 10,
    "enabled": False,
}
MASK = "********"


@pytest_asyncio.fixture
async def count(database: FreshDatabase) -> Callable[[], Awaitable[int]]:
    admin = await database.connect()

    async def endpoints() -> int:
        return int(await admin.fetchval("SELECT count(*) FROM delivery.endpoints"))

    return endpoints


async def test_an_endpoint_is_created_as_described_and_shows_its_secret_this_once(
    api: httpx.AsyncClient, kept_of: KeptOf
) -> None:
    created = await api.post("/endpoint", json=WHOLE)

    assert (created.status_code, created.headers["ETag"]) == (201, '"1"')
    answer = created.json()
    secret = answer.pop("secret")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert answer == {
        **WHOLE,
        "headers": {"Authorization": MASK, "X-Api-Key": MASK},
        "id": created.headers["Location"].removeprefix("/endpoint/"),
        "version": 1,
        "disabledReason": "manual",
        "previousSecretUntil": None,
        "createdAt": answer["createdAt"],
        "updatedAt": answer["createdAt"],
    }
    assert abs((datetime.fromisoformat(answer["createdAt"]) - datetime.now(UTC)).total_seconds()) < 60
    read = await api.get(created.headers["Location"])
    assert (read.status_code, read.json(), read.headers["ETag"]) == (200, answer, '"1"')
    kept = await kept_of(created.headers["Location"])
    assert (kept.secret, kept.headers) == (secret, WHOLE["headers"])


async def test_what_is_left_out_or_null_gets_its_default(api: httpx.AsyncClient) -> None:
    short = (await api.post("/endpoint", json={"url": "http://example.com"})).json()
    nulls = (await api.post("/endpoint", json={**dict.fromkeys(WHOLE), "url": "http://example.com"})).json()

    for answer in (short, nulls):
        assert {field: answer[field] for field in WHOLE} == {
            "url": "http://example.com",
            "eventTypes": None,
            "description": None,
            "headers": {},
            "rateLimit": None,
            "concurrency": 10,
            "timeoutSeconds": 30,
            "enabled": True,
        }
        assert answer["disabledReason"] is None
    assert short["secret"] != nulls["secret"]


async def test_nothing_secret_is_in_the_database_or_in_the_log_as_it_is(
    api: httpx.AsyncClient, kept_of: KeptOf, database: FreshDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    created = await api.post("/endpoint", json=WHOLE, headers={"Idempotency-Key": "once"})
    secret = created.json()["secret"]
    await api.patch(
        created.headers["Location"], json={"headers": {"X-Api-Key": MASK}}, headers={"If-Match": "*"}
    )
    refused = await api.post("/endpoint", json={**WHOLE, "rateLimit": 0, "headers": {"Host": "swordfish"}})

    assert refused.status_code == 400
    admin = await database.connect()
    rows = [
        *await admin.fetch("SELECT endpoints::text AS text FROM delivery.endpoints"),
        *await admin.fetch("SELECT encode(body, 'escape') AS text FROM users.idempotency_keys"),
    ]
    raw = [*(await kept_of(created.headers["Location"])).as_stored, *(row["text"].encode() for row in rows)]
    shown = "".join(capsys.readouterr()) + refused.text
    for word in ("whsec_", secret.removeprefix("whsec_"), "hunter2", "swordfish"):
        assert [one for one in raw if word.encode() in one] == []
        assert word not in shown
    hexadecimal = secret.encode().hex()
    assert [row["text"] for row in rows if hexadecimal in row["text"]] == []


REFUSED: list[tuple[Any, list[str]]] = [
    ([], ["body"]),
    ({}, ["url"]),
    ({"url": None}, ["url"]),
    (build.endpoint_body(url=7), ["url"]),
    (build.endpoint_body(url="ftp://example.com"), ["url"]),
    (build.endpoint_body(eventTypes=[]), ["eventTypes"]),
    (build.endpoint_body(eventTypes="birthday.due"), ["eventTypes"]),
    (build.endpoint_body(eventTypes=["birthday.due", "BirthdayDue"]), ["eventTypes"]),
    (build.endpoint_body(eventTypes=[{}]), ["eventTypes"]),
    (build.endpoint_body(eventTypes=["birthday.due"] * 2), ["eventTypes"]),
    (build.endpoint_body(description=" "), ["description"]),
    (build.endpoint_body(description="x" * 501), ["description"]),
    (build.endpoint_body(headers=[]), ["headers"]),
    (build.endpoint_body(headers={"X-Api-Key": MASK}), ["headers"]),
    (build.endpoint_body(headers={"X-Api-Key": None}), ["headers"]),
    *((build.endpoint_body(rateLimit=value), ["rateLimit"]) for value in (0, 10_001, 1.5, "1", True)),
    *((build.endpoint_body(concurrency=value), ["concurrency"]) for value in (0, 101, -1)),
    *((build.endpoint_body(timeoutSeconds=value), ["timeoutSeconds"]) for value in (0, 31, "a minute")),
    *((build.endpoint_body(enabled=value), ["enabled"]) for value in (0, "true")),
    (build.endpoint_body(secret="whsec_mine"), ["secret"]),
    (build.endpoint_body(version=1, colour="red"), ["colour", "version"]),
    ({"url": "", "rateLimit": 0, "enabled": 1}, ["url", "rateLimit", "enabled"]),
]


async def test_bad_input_names_every_field_at_fault_and_stores_nothing(
    api: httpx.AsyncClient, count: Callable[[], Awaitable[int]]
) -> None:
    for body, fields in REFUSED:
        answer = await api.post("/endpoint", json=body)

        assert (answer.status_code, body) == (400, body), answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert [error["field"] for error in answer.json()["errors"]] == fields
    assert await count() == 0


async def test_a_repeated_request_makes_one_endpoint_and_shows_its_secret_again(
    api: httpx.AsyncClient, count: Callable[[], Awaitable[int]]
) -> None:
    key = {"Idempotency-Key": "partner-7"}
    first = await api.post("/endpoint", json=WHOLE, headers=key)
    again = await api.post("/endpoint", json=WHOLE, headers=key)

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert await count() == 1


async def test_a_kept_reply_is_good_under_its_own_key_alone(
    api: httpx.AsyncClient, database: FreshDatabase
) -> None:
    admin = await database.connect()
    await api.post("/endpoint", json=WHOLE, headers={"Idempotency-Key": "one"})
    await api.post("/endpoint", json=WHOLE, headers={"Idempotency-Key": "two"})
    await admin.execute(
        """
        UPDATE users.idempotency_keys AS one SET body = other.body
        FROM users.idempotency_keys AS other WHERE one.id <> other.id
        """
    )

    for key in ("one", "two"):
        assert (await api.post("/endpoint", json=WHOLE, headers={"Idempotency-Key": key})).status_code == 500


@pytest_asyncio.fixture
async def guarded(
    database: FreshDatabase, environment: Environment, running: Running
) -> AsyncIterator[Callable[[str], Awaitable[httpx.Response]]]:
    """Post an endpoint as somebody of a role."""
    async with Issuer() as issuer:
        issuer.add_key("first")
        async with running(environment(database.url("carillon_user_api"), **issuer.settings)) as api:

            async def post(role: str) -> httpx.Response:
                token = issuer.token(role, sub="0198c0de-0000-7000-8000-000000000001")
                headers = {"Authorization": f"Bearer {token}"}
                return await api.post("/endpoint", json=build.endpoint_body(), headers=headers)

            yield post


async def test_admins_and_services_manage_endpoints_and_users_do_not(
    guarded: Callable[[str], Awaitable[httpx.Response]],
) -> None:
    assert [(await guarded(role)).status_code for role in ("admin", "service", "user")] == [201, 201, 403]
