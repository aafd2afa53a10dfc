from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
from runtime.database import Connection
from testkit import build
from testkit.fresh_database import FreshDatabase

KeptOf = Callable[[str], Awaitable[Any]]


async def _created(api: httpx.AsyncClient) -> tuple[str, str]:
    answer = await api.post("/endpoint", json=build.endpoint_body(headers={"X-Key": "swordfish"}))
    return answer.headers["Location"], answer.json()["secret"]


async def test_a_rotation_gives_another_secret_and_keeps_the_one_before_for_a_day(
    api: httpx.AsyncClient, kept_of: KeptOf, database: FreshDatabase
) -> None:
    location, first = await _created(api)

    rotated = await api.post(f"{location}/rotate-secret")

    admin: Connection = await database.connect()
    now = await admin.fetchval("SELECT now()")
    assert (rotated.status_code, rotated.headers["ETag"]) == (200, '"2"')
    second, until = rotated.json()["secret"], datetime.fromisoformat(rotated.json()["previousSecretUntil"])
    assert rotated.json().keys() == {"secret", "previousSecretUntil"}
    assert second.startswith("whsec_")
    assert second != first
    assert timedelta(hours=23, minutes=59) < until - now <= timedelta(hours=24)
    kept = await kept_of(location)
    assert (kept.secret, kept.previous_secret, kept.headers) == (second, first, {"X-Key": "swordfish"})
    read = (await api.get(location)).json()
    assert (read["version"], read["previousSecretUntil"]) == (2, rotated.json()["previousSecretUntil"])
    assert "secret" not in read


async def test_a_second_rotation_keeps_the_secret_of_the_first(
    api: httpx.AsyncClient, kept_of: KeptOf
) -> None:
    location, _ = await _created(api)
    second = (await api.post(f"{location}/rotate-secret")).json()["secret"]
    third = (await api.post(f"{location}/rotate-secret")).json()["secret"]

    kept = await kept_of(location)
    assert (kept.secret, kept.previous_secret) == (third, second)


async def test_a_repeated_rotation_rotates_once_and_answers_the_same_secret(
    api: httpx.AsyncClient, kept_of: KeptOf, database: FreshDatabase
) -> None:
    location, first = await _created(api)
    key = {"Idempotency-Key": "rotate-2026-11"}
    rotated = await api.post(f"{location}/rotate-secret", headers=key)
    again = await api.post(f"{location}/rotate-secret", headers=key)

    assert (again.status_code, again.content) == (200, rotated.content)
    assert (again.headers["Idempotent-Replayed"], again.headers["ETag"]) == ("true", '"2"')
    kept = await kept_of(location)
    assert (kept.secret, kept.previous_secret) == (rotated.json()["secret"], first)
    admin = await database.connect()
    body = await admin.fetchval("SELECT body FROM users.idempotency_keys")
    assert b"whsec_" not in body
