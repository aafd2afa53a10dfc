import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
import pytest
from domain.events import Event, UserState
from testkit import build
from testkit.fresh_database import FreshDatabase

Emitted = Callable[[], Awaitable[list[Event]]]
Stored = Callable[[], Awaitable[tuple[int, int]]]

BEFORE = build.user_body(email="ada@example.com", dateOfBirth="2000-02-29")


async def _created(api: httpx.AsyncClient) -> str:
    return str((await api.post("/user", json=BEFORE)).headers["Location"])


@pytest.mark.parametrize(
    ("changed", "events"),
    [
        ({"firstName": "Grace"}, ["UserNameChanged"]),
        ({"lastName": "Hopper"}, ["UserNameChanged"]),
        ({"dateOfBirth": "2000-02-28"}, ["UserBirthdayChanged"]),
        ({"dateOfBirth": "1996-02-29"}, ["UserBirthdayChanged"]),
        ({"sendAtLocal": "10:00"}, ["UserBirthdayChanged"]),
        ({"leapDayPolicy": "skip"}, ["UserBirthdayChanged"]),
        ({"timezone": "Asia/Tokyo"}, ["UserTimezoneChanged"]),
        ({"timezone": "Asia/Tokyo", "sendAtLocal": "10:00"}, ["UserBirthdayChanged", "UserTimezoneChanged"]),
        (
            {"firstName": "Grace", "timezone": "Asia/Tokyo", "dateOfBirth": "1990-01-01"},
            ["UserBirthdayChanged", "UserTimezoneChanged", "UserNameChanged"],
        ),
        ({"email": "ada@example.org"}, []),
        ({"email": None}, []),
    ],
)
async def test_a_change_emits_what_changed_with_the_new_version_and_the_whole_state(
    api: httpx.AsyncClient, emitted: Emitted, changed: dict[str, Any], events: list[str]
) -> None:
    location = await _created(api)
    answer = await api.put(location, json={**BEFORE, **changed}, headers={"If-Match": '"1"'})
    told = (await emitted())[1:]

    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"2"'
    assert (await api.get(location)).json() == answer.json()
    assert [event.event_type for event in told] == events
    after = answer.json()
    for event in told:
        assert isinstance(event, UserState)
        assert (event.version, event.occurred_at.isoformat().replace("+00:00", "Z")) == (
            2,
            after["updatedAt"],
        )
        assert (event.first_name, event.last_name) == (after["firstName"], after["lastName"])
        assert (str(event.date_of_birth), event.timezone) == (after["dateOfBirth"], after["timezone"])
        assert (f"{event.send_at_local:%H:%M}", event.leap_day_policy) == (
            after["sendAtLocal"],
            after["leapDayPolicy"],
        )


async def test_a_zone_change_keeps_the_first_date_and_another_day_decides_it_anew(
    api: httpx.AsyncClient, emitted: Emitted, database: FreshDatabase
) -> None:
    admin = await database.connect()
    location = await _created(api)
    await admin.execute("UPDATE users.users SET first_date = '2001-02-29'")

    moved = {**BEFORE, "timezone": "Asia/Tokyo"}
    await api.put(location, json=moved, headers={"If-Match": '"1"'})
    await api.put(location, json={**moved, "dateOfBirth": "2000-03-01"}, headers={"If-Match": '"2"'})

    dates = [event.first_date for event in await emitted() if isinstance(event, UserState)]
    assert dates[1] == "2001-02-29"
    assert dates[2].endswith("-03-01")
    assert await admin.fetchval("SELECT first_date FROM users.users") == dates[2]


async def test_nothing_changed_is_the_same_version_and_no_event(
    api: httpx.AsyncClient, stored: Stored
) -> None:
    location = await _created(api)
    before = (await api.get(location)).json()

    answer = await api.put(location, json=BEFORE, headers={"If-Match": '"1"'})

    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"1"'
    assert answer.json() == before
    assert await stored() == (1, 1)


async def test_what_was_read_can_be_sent_back_changed(api: httpx.AsyncClient) -> None:
    location = await _created(api)
    read = await api.get(location)

    body = {**read.json(), "lastName": "King"}
    answer = await api.put(location, json=body, headers={"If-Match": read.headers["ETag"]})

    assert answer.status_code == 200
    assert answer.json()["lastName"] == "King"
    assert answer.json()["version"] == 2


async def test_what_is_left_out_goes_back_to_its_default(api: httpx.AsyncClient) -> None:
    body = {**BEFORE, "sendAtLocal": "10:00", "leapDayPolicy": "skip"}
    location = (await api.post("/user", json=body)).headers["Location"]

    answer = await api.put(location, json=build.user_body(), headers={"If-Match": "*"})

    after = answer.json()
    assert (after["email"], after["sendAtLocal"], after["leapDayPolicy"]) == (None, "09:00", "feb_28")


async def test_another_users_id_in_the_body_is_refused(api: httpx.AsyncClient, stored: Stored) -> None:
    location = await _created(api)
    answer = await api.put(location, json={**BEFORE, "id": str(uuid4())}, headers={"If-Match": "*"})

    assert (answer.status_code, answer.json()["type"]) == (409, "urn:carillon:problem:other-id")
    assert answer.json()["errors"] == [{"field": "id", "reason": "is another id than the address has"}]
    assert await stored() == (1, 1)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 428),
        ({"If-Match": '"2"'}, 412),
        ({"If-Match": 'W/"1"'}, 412),
        ({"If-Match": '""'}, 412),
        ({"If-Match": "1"}, 400),
        ({"If-Match": '"1'}, 400),
    ],
)
async def test_a_change_of_another_version_changes_nothing(
    api: httpx.AsyncClient, stored: Stored, headers: dict[str, str], status: int
) -> None:
    location = await _created(api)
    before = (await api.get(location)).json()

    replaced = await api.put(location, json={**BEFORE, "firstName": "Grace"}, headers=headers)
    deleted = await api.delete(location, headers=headers)

    assert (replaced.status_code, deleted.status_code) == (status, status)
    assert [error["field"] for error in replaced.json()["errors"]] == ["If-Match"]
    assert (await api.get(location)).json() == before
    assert await stored() == (1, 1)


async def test_a_stale_change_is_told_the_version_to_read(api: httpx.AsyncClient) -> None:
    location = await _created(api)
    answer = await api.put(location, json=BEFORE, headers={"If-Match": '"9"'})

    assert answer.headers["ETag"] == '"1"'


async def test_of_concurrent_changes_of_one_version_one_is_made(
    api: httpx.AsyncClient, emitted: Emitted
) -> None:
    location = await _created(api)
    answers = await asyncio.gather(
        *(
            api.put(location, json={**BEFORE, "firstName": f"Ada{place}"}, headers={"If-Match": '"1"'})
            for place in range(8)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    won = next(answer for answer in answers if answer.status_code == 200)
    assert (await api.get(location)).json() == won.json()
    assert len(await emitted()) == 2


async def test_concurrent_changes_of_any_version_are_made_one_after_the_other(
    api: httpx.AsyncClient, emitted: Emitted
) -> None:
    location = await _created(api)
    await asyncio.gather(
        *(
            api.put(location, json={**BEFORE, "firstName": f"Ada{place}"}, headers={"If-Match": "*"})
            for place in range(8)
        )
    )
    told = [event for event in await emitted() if isinstance(event, UserState)]

    assert [event.version for event in told] == list(range(1, 10))
    assert told == sorted(told, key=lambda event: event.occurred_at)
    assert (await api.get(location)).json()["version"] == 9


async def test_an_email_of_another_user_changes_nothing(api: httpx.AsyncClient, stored: Stored) -> None:
    location = await _created(api)
    await api.post("/user", json=build.user_body(email="grace@example.com"))

    body = {**BEFORE, "email": "Grace@example.com"}
    answer = await api.put(location, json=body, headers={"If-Match": '"1"'})

    assert answer.status_code == 409
    assert (await api.get(location)).json()["version"] == 1
    assert await stored() == (2, 2)


async def test_a_birth_in_the_future_changes_nothing(api: httpx.AsyncClient, stored: Stored) -> None:
    location = await _created(api)
    answer = await api.put(
        location, json={**BEFORE, "dateOfBirth": "2999-01-01"}, headers={"If-Match": '"1"'}
    )

    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "dateOfBirth", "reason": "is in the future"}]
    assert await stored() == (1, 1)


async def test_an_event_that_cannot_be_appended_takes_the_change_with_it(
    api: httpx.AsyncClient, database: FreshDatabase, stored: Stored
) -> None:
    location = await _created(api)
    before = (await api.get(location)).json()
    admin = await database.connect()
    await admin.execute("REVOKE EXECUTE ON FUNCTION outbox.append FROM carillon_user_api")

    replaced = await api.put(location, json=build.user_body(), headers={"If-Match": '"1"'})
    deleted = await api.delete(location, headers={"If-Match": '"1"'})

    assert (replaced.status_code, deleted.status_code) == (500, 500)
    assert (await api.get(location)).json() == before
    assert await stored() == (1, 1)


async def test_an_unknown_user_cannot_be_replaced(api: httpx.AsyncClient, stored: Stored) -> None:
    answer = await api.put(f"/user/{uuid4()}", json=BEFORE, headers={"If-Match": "*"})

    assert answer.status_code == 404
    assert await stored() == (0, 0)


async def test_a_changes_event_ids_are_derived(api: httpx.AsyncClient, database: FreshDatabase) -> None:
    location = await _created(api)
    await api.put(location, json=build.user_body(timezone="Asia/Tokyo"), headers={"If-Match": '"1"'})
    admin = await database.connect()
    rows = await admin.fetch("SELECT event_id FROM outbox.messages ORDER BY id OFFSET 1")

    user_id = UUID(location.removeprefix("/user/"))
    assert [row["event_id"] for row in rows] == [
        uuid5(user_id, "2/UserBirthdayChanged"),
        uuid5(user_id, "2/UserTimezoneChanged"),
    ]
