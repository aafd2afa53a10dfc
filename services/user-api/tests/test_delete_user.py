from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from domain.events import Event, UserDeleted
from testkit import build

Emitted = Callable[[], Awaitable[list[Event]]]
Stored = Callable[[], Awaitable[tuple[int, int]]]


@pytest.mark.parametrize("if_match", ['"1"', "*"])
async def test_a_deleted_user_is_gone_and_the_event_has_the_next_version(
    api: httpx.AsyncClient, emitted: Emitted, if_match: str
) -> None:
    created = await api.post("/user", json=build.user_body())
    location = created.headers["Location"]

    answer = await api.delete(location, headers={"If-Match": if_match})

    assert answer.status_code == 204
    assert answer.content == b""
    assert (await api.get(location)).status_code == 404
    deleted = (await emitted())[1]
    assert isinstance(deleted, UserDeleted)
    assert (deleted.user_id, deleted.version) == (UUID(created.json()["id"]), 2)
    assert abs(datetime.now(UTC) - deleted.occurred_at) < timedelta(minutes=1)


async def test_a_deleted_users_email_is_free_again(api: httpx.AsyncClient) -> None:
    body = build.user_body(email="ada@example.com")
    location = (await api.post("/user", json=body)).headers["Location"]
    await api.delete(location, headers={"If-Match": '"1"'})

    assert (await api.post("/user", json=body)).status_code == 201


async def test_an_unknown_user_cannot_be_deleted(api: httpx.AsyncClient, stored: Stored) -> None:
    answer = await api.delete(f"/user/{uuid4()}", headers={"If-Match": "*"})

    assert answer.status_code == 404
    assert await stored() == (0, 0)
