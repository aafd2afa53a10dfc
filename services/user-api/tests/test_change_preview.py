from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from domain.due_dates import planned
from domain.events import Event, OccasionState, UserState
from domain.ids import birthday_occasion_id, due_event_id
from domain.occasion_rule import birthday_of, rule_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from testkit import build
from testkit.fresh_database import FreshDatabase

Emitted = Callable[[], Awaitable[list[Event]]]
Stored = Callable[[], Awaitable[tuple[int, int]]]
Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]

Dates = dict[str, tuple[str, str, str]]
"""Local date, zone and instant of each occasion's next date, by its id."""

PATCH = {"Content-Type": "application/merge-patch+json"}


async def _user(api: httpx.AsyncClient, **details: object) -> str:
    return str((await api.post("/user", json=build.user_body(**details))).headers["Location"])


async def _preview(api: httpx.AsyncClient, user: str, **patch: object) -> list[dict[str, Any]]:
    answer = await api.post(f"{user}/change-preview", json=patch)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _planned(events: list[Event]) -> Dates:
    """Plan as the scheduler does, from the newest that it is told."""
    [user] = {event.user_id: event for event in events if isinstance(event, UserState)}.values()
    rules = {birthday_occasion_id(user.user_id): (birthday_of(user), user.first_date)}
    for event in events:
        if isinstance(event, OccasionState):
            rule = rule_of(event, timezone=user.timezone, leap_day_policy=user.leap_day_policy)
            rules[event.occasion_id] = (rule, event.first_date)  # type: ignore[assignment] # of another kind
    dues = {
        occasion_id: planned(rule, first_date=first, after_date=None)
        for occasion_id, (rule, first) in rules.items()
    }
    return {
        str(id_): (str(due.local_date), user.timezone, due.due_at.isoformat().replace("+00:00", "Z"))
        for id_, due in dues.items()
        if due is not None
    }


ZONES = ["UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati"]
patches = st.fixed_dictionaries(
    {},
    optional={
        "timezone": st.sampled_from(ZONES),
        "dateOfBirth": st.sampled_from(["2000-02-29", "1990-12-10", "1999-07-01"]),
        "leapDayPolicy": st.sampled_from(["feb_28", "mar_1", "skip", None]),
        "sendAtLocal": st.sampled_from(["00:00", "09:00", "23:30"]),
        "firstName": st.just("Grace"),
    },
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    born=st.sampled_from(["2000-02-29", "1990-12-10"]),
    policy=st.sampled_from(["feb_28", "mar_1", "skip"]),
    timezone=st.sampled_from(ZONES),
    patch=patches,
)
@example(born="2000-02-29", policy="skip", timezone="UTC", patch={"leapDayPolicy": "mar_1"})
async def test_the_preview_of_a_change_is_what_the_change_then_moves(
    api: httpx.AsyncClient, emitted: Emitted, born: str, policy: str, timezone: str, patch: dict[str, object]
) -> None:
    told_before = len(await emitted())
    user = await _user(api, dateOfBirth=born, leapDayPolicy=policy, timezone=timezone)
    for body in (
        build.anniversary_body(date="2016-02-29"),
        build.reminder_body(localDateTime="2030-02-28T23:30", rrule="FREQ=DAILY"),
        build.notification_body(),
    ):
        await api.post(f"{user}/occasion", json=body)
    before = _planned((await emitted())[told_before:])

    items = await _preview(api, user, **patch)
    unchanged = (await api.get(user)).headers["ETag"]
    await api.patch(user, json=patch, headers={**PATCH, "If-Match": unchanged})

    after = _planned((await emitted())[told_before:])
    assert unchanged == '"1"'
    assert {item["occasionId"]: _shown(item["before"]) for item in items} == {
        id_: before[id_] for id_ in before if before[id_] != after[id_]
    }
    assert {item["occasionId"]: _shown(item["after"]) for item in items} == {
        id_: after[id_] for id_ in before if before[id_] != after[id_]
    }
    assert [item["after"]["dueAt"] for item in items] == sorted(item["after"]["dueAt"] for item in items)


def _shown(dates: dict[str, str]) -> tuple[str, str, str]:
    return dates["localDate"], dates["timezone"], dates["dueAt"]


async def test_a_preview_writes_nothing_and_a_change_of_nothing_moves_nothing(
    api: httpx.AsyncClient, stored: Stored
) -> None:
    user = await _user(api)
    before = await stored()

    assert await _preview(api, user, timezone="Asia/Tokyo") != []
    assert await _preview(api, user) == []
    assert await _preview(api, user, timezone="Europe/London", email="ada@example.com") == []

    assert await stored() == before


async def test_a_date_that_the_new_zone_has_left_behind_is_due_at_once(
    database: FreshDatabase, environment: Environment, running: Running
) -> None:
    morning = datetime(2027, 12, 10, 8, tzinfo=UTC)
    offset = str((morning - datetime.now(UTC)).total_seconds())
    async with running(environment(database.url("carillon_user_api"), CLOCK_OFFSET_SECONDS=offset)) as api:
        [item] = await _preview(api, await _user(api), timezone="Asia/Tokyo")

    assert item["before"] == {
        "localDate": "2027-12-10",
        "localTime": "09:00",
        "timezone": "Europe/London",
        "dueAt": "2027-12-10T09:00:00Z",
    }
    assert item["after"] == {**item["before"], "timezone": "Asia/Tokyo", "dueAt": "2027-12-10T00:00:00Z"}
    assert item["eventType"] == "BIRTHDAY"


PENDING = """
INSERT INTO schedule.occurrences (
    event_id, occasion_id, occasion_type, user_id, status, priority, nominal_date, after_date, local_date,
    send_at_local, timezone, anchor_date, leap_day_policy, first_name, last_name, due_at, user_version
) VALUES (
    $1, $2, 'BIRTHDAY', $3, 'PENDING', 0, $4::date::text, $5, $4, '09:00', 'Europe/London', '1990-12-10',
    'feb_28', 'Ada', 'Lovelace', $4 + interval '9 h', 1
)
"""


async def test_a_date_that_rang_is_not_shown_again(api: httpx.AsyncClient, database: FreshDatabase) -> None:
    user = await _user(api)
    user_id = UUID(user.rpartition("/")[2])
    [first] = await _preview(api, user, timezone="Asia/Tokyo")
    rang = date.fromisoformat(first["before"]["localDate"])
    following, birthday = rang.replace(year=rang.year + 1), birthday_occasion_id(user_id)
    admin = await database.connect()
    await admin.execute(
        PENDING, due_event_id(birthday, str(following)), birthday, user_id, following, str(rang)
    )

    [item] = await _preview(api, user, timezone="Asia/Tokyo")

    assert {item["before"]["localDate"], item["after"]["localDate"]} == {str(following)}


@pytest.mark.parametrize(
    ("body", "headers", "status", "kind"),
    [
        (b'{"timezone": "Mars/Olympus"}', PATCH, 400, "invalid-input"),
        (b'{"firstName": null}', PATCH, 400, "invalid-input"),
        (b'{"dateOfBirth": "2999-01-01"}', PATCH, 400, "invalid-input"),
        (b'{"id": "0198c0de-0000-7000-8000-000000000000"}', PATCH, 409, "other-id"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
    ],
)
async def test_what_no_patch_takes_no_preview_takes(
    api: httpx.AsyncClient, body: bytes, headers: dict[str, str], status: int, kind: str
) -> None:
    user = await _user(api)

    answer = await api.post(f"{user}/change-preview", content=body, headers=headers)

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:carillon:problem:{kind}")


async def test_the_change_of_an_unknown_user_is_not_found(api: httpx.AsyncClient) -> None:
    answer = await api.post(f"/user/{uuid4()}/change-preview", json={"timezone": "Asia/Tokyo"})

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:carillon:problem:unknown-user")
