from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import httpx
import pytest
from domain.due_dates import first_date
from domain.events import Event, UserCreated
from domain.occasion import LeapDayPolicy
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.wait import eventually

Emitted = Callable[[], Awaitable[list[Event]]]
Stored = Callable[[], Awaitable[tuple[int, int]]]


async def test_a_created_user_is_answered_whole(api: httpx.AsyncClient) -> None:
    answer = await api.post("/user", json=build.user_body(firstName=" Ada ", email="ada@example.com"))
    user = answer.json()

    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Location"] == f"/user/{user['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert UUID(user.pop("id")).version == 7
    created_at, updated_at = user.pop("createdAt"), user.pop("updatedAt")
    assert created_at == updated_at
    assert created_at.endswith("Z")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(created_at)) < timedelta(minutes=1)
    assert user == {
        "version": 1,
        "firstName": "Ada",
        "lastName": "Lovelace",
        "dateOfBirth": "1990-12-10",
        "timezone": "Europe/London",
        "email": "ada@example.com",
        "sendAtLocal": "09:00",
        "leapDayPolicy": "feb_28",
    }


async def test_creating_a_user_emits_user_created_with_all_that_scheduling_needs(
    api: httpx.AsyncClient, emitted: Emitted
) -> None:
    rule = build.birthday(
        date=date(2000, 2, 29), send_at_local=time(8, 30), leap_day_policy=LeapDayPolicy.MAR_1
    )
    body = build.user_body(
        dateOfBirth="2000-02-29", sendAtLocal="08:30", leapDayPolicy="mar_1", email="ada@example.com"
    )
    user = (await api.post("/user", json=body)).json()
    at = datetime.fromisoformat(user["createdAt"])

    assert await emitted() == [
        UserCreated(
            user_id=UUID(user["id"]),
            version=1,
            occurred_at=at,
            first_name="Ada",
            last_name="Lovelace",
            date_of_birth=date(2000, 2, 29),
            timezone="Europe/London",
            send_at_local=time(8, 30),
            leap_day_policy=LeapDayPolicy.MAR_1,
            first_date=first_date(rule, None, None, changed_at=at),
        )
    ]


async def test_an_events_id_is_derived_and_no_event_has_an_email(
    api: httpx.AsyncClient, database: FreshDatabase
) -> None:
    user_id = (await api.post("/user", json=build.user_body(email="ada@example.com"))).json()["id"]
    admin = await database.connect()

    row = await admin.fetchrow("SELECT event_id, group_id, body FROM outbox.messages")

    assert row is not None
    assert row["event_id"] == uuid5(UUID(user_id), "1/UserCreated")
    assert row["group_id"] == user_id
    assert "example.com" not in row["body"]


async def test_an_email_is_taken_whatever_its_case(api: httpx.AsyncClient, stored: Stored) -> None:
    await api.post("/user", json=build.user_body(email="ada@example.com"))
    answer = await api.post("/user", json=build.user_body(email="ADA@example.com"))

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:carillon:problem:email-taken"
    assert answer.json()["errors"] == [{"field": "email", "reason": "is taken by another user"}]
    assert await stored() == (1, 1)


async def test_users_without_an_email_do_not_take_it_from_each_other(
    api: httpx.AsyncClient, stored: Stored
) -> None:
    for _ in range(2):
        assert (await api.post("/user", json=build.user_body())).status_code == 201
    assert await stored() == (2, 2)


async def test_an_event_that_cannot_be_appended_takes_the_user_with_it(
    api: httpx.AsyncClient, database: FreshDatabase, stored: Stored
) -> None:
    admin = await database.connect()
    await admin.execute("REVOKE EXECUTE ON FUNCTION outbox.append FROM carillon_user_api")

    answer = await api.post("/user", json=build.user_body())

    assert answer.status_code == 500
    assert await stored() == (0, 0)


@pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "Etc/GMT+12"])
async def test_today_is_a_date_of_birth_where_the_user_lives_and_tomorrow_is_not(
    api: httpx.AsyncClient, stored: Stored, timezone: str
) -> None:
    today = datetime.now(ZoneInfo(timezone)).date()
    born_today = build.user_body(timezone=timezone, dateOfBirth=str(today))
    born_tomorrow = build.user_body(timezone=timezone, dateOfBirth=str(today + timedelta(days=1)))

    assert (await api.post("/user", json=born_today)).status_code == 201
    refused = await api.post("/user", json=born_tomorrow)

    assert refused.status_code == 400
    assert refused.json()["errors"] == [{"field": "dateOfBirth", "reason": "is in the future"}]
    assert await stored() == (1, 1)


async def test_the_databases_clock_decides_where_this_machines_clock_is_days_behind(
    api: httpx.AsyncClient, database: FreshDatabase, emitted: Emitted
) -> None:
    admin = await database.connect()
    await admin.execute(
        """
        CREATE SCHEMA skewed;
        GRANT USAGE ON SCHEMA skewed TO PUBLIC;
        CREATE FUNCTION skewed.now() RETURNS timestamptz STABLE LANGUAGE sql
        AS $$ SELECT pg_catalog.now() + interval '5 days' $$;
        """
    )
    await admin.execute(
        f"ALTER ROLE carillon_user_api IN DATABASE {database.name} SET search_path = skewed, pg_catalog"
    )
    # The connection in the pool has its settings already.
    await admin.execute(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE usename = 'carillon_user_api' AND datname = current_database()
        """
    )
    in_between = (datetime.now(UTC) + timedelta(days=3)).date()
    body = build.user_body(dateOfBirth=str(in_between.replace(year=2000)))

    async def created() -> bool:
        return (await api.post("/user", json=body)).status_code == 201

    await eventually(created)
    event = (await emitted())[0]
    assert isinstance(event, UserCreated)
    assert event.first_date == str(in_between.replace(year=in_between.year + 1))
    assert await admin.fetchval("SELECT first_date FROM users.users") == event.first_date


async def test_the_business_clock_is_shifted_by_its_offset(
    database: FreshDatabase,
    environment: Callable[..., dict[str, str]],
    running: Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]],
) -> None:
    years = timedelta(days=3650)
    url = database.url("carillon_user_api")
    async with running(environment(url, CLOCK_OFFSET_SECONDS=str(years.total_seconds()))) as api:
        born = str((datetime.now(UTC) + years - timedelta(days=30)).date())
        answer = await api.post("/user", json=build.user_body(dateOfBirth=born))

    assert answer.status_code == 201
    shift = datetime.fromisoformat(answer.json()["createdAt"]) - datetime.now(UTC)
    assert abs(shift - years) < timedelta(minutes=1)
