from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from domain.due_dates import DueDate, planned
from domain.events import Event, OccasionState, UserState
from domain.ids import birthday_occasion_id, due_event_id
from domain.occasion import Rule
from domain.occasion_rule import birthday_of, rule_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from testkit import build
from testkit.fresh_database import FreshDatabase

Emitted = Callable[[], Awaitable[list[Event]]]
Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]

DAY = timedelta(days=1)
ENOUGH_STEPS = 60


async def _user(api: httpx.AsyncClient, **details: object) -> str:
    return str((await api.post("/user", json=build.user_body(**details))).headers["Location"])


async def _preview(api: httpx.AsyncClient, user: str, count: int) -> list[dict[str, Any]]:
    answer = await api.get(f"{user}/occurrence?next={count}")
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"items"}
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def _step_by_step(events: list[Event], *, now: datetime, count: int) -> list[tuple[str, str, str]]:
    """Plan as the scheduler does, from what it is told: one date after the other, of each occasion."""
    user = next(event for event in events if isinstance(event, UserState))
    rules: list[tuple[UUID, Rule, str]] = [
        (birthday_occasion_id(user.user_id), birthday_of(user), user.first_date)
    ]
    rules += [
        (
            event.occasion_id,
            rule_of(event, timezone=user.timezone, leap_day_policy=user.leap_day_policy),
            event.first_date,
        )
        for event in events
        if isinstance(event, OccasionState)
    ]
    found: list[tuple[datetime, UUID, DueDate]] = []
    for occasion_id, rule, first_date in rules:
        after_date: str | None = None
        for _ in range(ENOUGH_STEPS):
            due = planned(rule, first_date=first_date, after_date=after_date)
            if due is None:
                break
            after_date = due.nominal_date
            if due.due_at > now:
                found.append((due.due_at, occasion_id, due))
    return [
        (str(occasion_id), str(due.local_date), due_at.isoformat().replace("+00:00", "Z"))
        for due_at, occasion_id, due in sorted(found, key=lambda it: it[:2])[:count]
    ]


dates = st.dates(date(1950, 1, 1), date(2035, 1, 1)) | st.sampled_from([date(2000, 2, 29), date(2024, 2, 29)])
soon = st.datetimes(datetime(2026, 1, 1), datetime(2050, 1, 1))  # noqa: DTZ001 - local
RULES = ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SA", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=YEARLY;COUNT=3"]
occasions = st.one_of(
    dates.map(lambda on: build.anniversary_body(date=str(on))),
    st.tuples(soon, st.sampled_from(RULES)).map(
        lambda it: build.reminder_body(localDateTime=it[0].isoformat()[:16], rrule=it[1])
    ),
    soon.map(lambda at: build.reminder_body(localDateTime=at.replace(year=at.year + 80).isoformat()[:16])),
    soon.map(lambda at: build.notification_body(at=f"{at.replace(year=at.year + 80).isoformat()[:19]}Z")),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    born=dates.filter(lambda on: on.year < 2025),
    policy=st.sampled_from(["feb_28", "mar_1", "skip"]),
    timezone=st.sampled_from(["UTC", "America/St_Johns", "Pacific/Kiritimati", "Africa/Cairo"]),
    bodies=st.lists(occasions, max_size=5),
    count=st.integers(1, 50),
)
async def test_the_preview_is_what_planning_gives_step_by_step(
    api: httpx.AsyncClient,
    emitted: Emitted,
    born: date,
    policy: str,
    timezone: str,
    bodies: list[dict[str, Any]],
    count: int,
) -> None:
    told_before = len(await emitted())
    user = await _user(api, dateOfBirth=str(born), leapDayPolicy=policy, timezone=timezone)
    for body in bodies:
        await api.post(f"{user}/occasion", json=body)
    told = (await emitted())[told_before:]

    before = datetime.now(UTC)
    items = await _preview(api, user, count)
    after = datetime.now(UTC)

    shown = [(item["occasionId"], item["localDate"], item["dueAt"]) for item in items]
    assert shown in (
        _step_by_step(told, now=before, count=count),
        _step_by_step(told, now=after, count=count),
    )
    assert {(item["timezone"], item["status"]) for item in items} == {(timezone, "PREVIEW")}
    assert 1 <= len(items) <= count


async def _store(database: FreshDatabase, table: str, **columns: object) -> None:
    """Store an occurrence as the scheduler would."""
    row = {
        "occasion_type": "REMINDER",
        "priority": 2,
        "send_at_local": datetime.min.time(),
        "timezone": "UTC",
        **columns,
    }
    if "local_date" not in row:
        row["local_date"] = date.fromisoformat(str(row["nominal_date"]))
    if table == "occurrences":
        row |= {"anchor_date": row["local_date"], "leap_day_policy": "feb_28", "first_name": "A"}
        row |= {"last_name": "L", "user_version": 1}
    row["event_id"] = due_event_id(row["occasion_id"], str(row["nominal_date"]))  # type: ignore[arg-type]
    admin = await database.connect()
    places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
    await admin.execute(
        f"INSERT INTO schedule.{table} ({', '.join(row)}) VALUES ({places})",  # noqa: S608 - our own names
        *row.values(),
    )
    await admin.close()


async def test_what_is_planned_is_pending_and_what_has_rung_is_not_to_come(
    api: httpx.AsyncClient, database: FreshDatabase
) -> None:
    now = datetime.now(UTC)
    user = await _user(api, timezone="UTC", dateOfBirth=str(now.date() - timedelta(days=400)))
    user_id = UUID(user.rpartition("/")[2])
    start = (now - 10 * DAY + timedelta(hours=1)).isoformat()[:19]
    made = await api.post(
        f"{user}/occasion", json=build.reminder_body(localDateTime=start, rrule="FREQ=DAILY")
    )
    reminder = UUID(made.json()["id"])
    first, second, *_ = await _preview(api, user, 5)
    for item, status in ((first, "PROCESSING"), (second, "PENDING")):
        # The one that rang did so at an earlier time, before the reminder was changed.
        due_at = datetime.fromisoformat(item["dueAt"]) - (DAY / 2 if item is first else timedelta())
        open_ = (
            {"emitted_at": due_at, "check_at": due_at}
            if item is first
            else {"after_date": first["localDate"]}
        )
        await _store(
            database,
            "occurrences",
            occasion_id=reminder,
            user_id=user_id,
            status=status,
            nominal_date=item["localDate"],
            due_at=due_at,
            **open_,
        )

    items = await _preview(api, user, 3)

    assert items[0] == second | {"status": "PENDING"}
    assert [item["status"] for item in items[1:]] == ["PREVIEW"] * 2
    assert {item["occasionId"] for item in items} == {str(reminder)}


async def test_a_leap_day_that_rang_is_known_by_its_name(
    database: FreshDatabase, environment: Environment, running: Running
) -> None:
    offset = str((datetime(2027, 2, 28, 8, tzinfo=UTC) - datetime.now(UTC)).total_seconds())
    async with running(environment(database.url("carillon_user_api"), CLOCK_OFFSET_SECONDS=offset)) as api:
        user = await _user(api, dateOfBirth="2000-02-29", timezone="UTC")
        user_id = UUID(user.rpartition("/")[2])
        assert [item["localDate"] for item in await _preview(api, user, 2)] == ["2027-02-28", "2028-02-29"]
        # It rang at 07:00, then the user put it off to 09:00.
        await _store(
            database,
            "history",
            occasion_id=birthday_occasion_id(user_id),
            user_id=user_id,
            status="COMPLETED",
            nominal_date="2027-02-29",
            local_date=date(2027, 2, 28),
            due_at=datetime(2027, 2, 28, 7, tzinfo=UTC),
            finished_at=datetime(2027, 2, 28, 7, tzinfo=UTC),
        )
        assert [item["localDate"] for item in await _preview(api, user, 2)] == ["2028-02-29", "2029-02-28"]


async def test_a_leap_day_kept_on_march_1_is_not_shown_again_as_a_birthday_of_that_day(
    database: FreshDatabase, environment: Environment, running: Running
) -> None:
    offset = str((datetime(2027, 3, 1, 12, tzinfo=UTC) - datetime.now(UTC)).total_seconds())
    async with running(environment(database.url("carillon_user_api"), CLOCK_OFFSET_SECONDS=offset)) as api:
        born = {"dateOfBirth": "2000-02-29", "leapDayPolicy": "mar_1", "timezone": "UTC"}
        user = await _user(api, **born)
        user_id = UUID(user.rpartition("/")[2])
        await _store(
            database,
            "occurrences",
            occasion_id=birthday_occasion_id(user_id),
            occasion_type="BIRTHDAY",
            user_id=user_id,
            status="PROCESSING",
            nominal_date="2027-02-29",
            local_date=date(2027, 3, 1),
            due_at=datetime(2027, 3, 1, 9, tzinfo=UTC),
            emitted_at=datetime(2027, 3, 1, 9, tzinfo=UTC),
            check_at=datetime(2027, 3, 1, 9, 15, tzinfo=UTC),
        )
        corrected = {"dateOfBirth": "2000-03-01", "sendAtLocal": "18:00"}  # by which today is still to come

        [moved] = (await api.post(f"{user}/change-preview", json=corrected)).json()["items"]
        await api.patch(user, json=corrected, headers={"If-Match": "*"})

        assert [item["localDate"] for item in await _preview(api, user, 2)] == ["2028-03-01", "2029-03-01"]
        assert moved["after"]["localDate"] == "2028-03-01"


async def test_real_occurrences_are_paged_through_in_order_of_their_due_time(
    api: httpx.AsyncClient, database: FreshDatabase
) -> None:
    user, other = await _user(api), await _user(api)
    occasion = uuid4()
    start = datetime(2026, 5, 1, 10, tzinfo=UTC)
    for day, status, ended in (
        (0, "COMPLETED", 0),
        (1, "COMPLETED", 1),
        (2, "FAILED", 2),
        (3, "CANCELLED", 1),
        (3, "CANCELLED", 2),
        (3, "COMPLETED", 3),
        (4, "PROCESSING", None),
        (5, "PENDING", None),
    ):
        for owner in (user, other):
            due_at = start + day * DAY
            columns: dict[str, Any] = {
                "occasion_id": uuid4() if owner is other else occasion,
                "status": status,
            }
            columns |= {"user_id": UUID(owner.rpartition("/")[2]), "due_at": due_at}
            columns |= {"nominal_date": str(due_at.date())}
            if ended is not None:
                columns |= {"finished_at": due_at + ended * DAY}
                if status == "FAILED":
                    columns |= {"failure_reason": "HTTP 500 after 10 attempts", "jitter_seconds": 90}
            elif status == "PROCESSING":
                columns |= {"emitted_at": due_at, "check_at": due_at}
            await _store(database, "occurrences" if ended is None else "history", **columns)

    whole = (await api.get(f"{user}/occurrence", params={"since": "2026-05-02T12:00:00+02:00"})).json()
    paged, path = [], f"{user}/occurrence?since=2026-05-02T10:00:00Z&limit=1"
    while path:
        page = await api.get(path)
        paged += page.json()["items"]
        path = page.links.get("next", {}).get("url", "")

    assert paged == whole["items"]
    assert [
        (item["localDate"][-2:], item["status"], (item["completedAt"] or "")[8:10]) for item in paged
    ] == [
        ("02", "COMPLETED", "03"),
        ("03", "FAILED", "05"),
        ("04", "CANCELLED", "05"),
        ("04", "CANCELLED", "06"),
        ("04", "COMPLETED", "07"),
        ("05", "PROCESSING", ""),
        ("06", "PENDING", ""),
    ]
    assert paged[1] == {
        "id": str(due_event_id(occasion, "2026-05-03")),
        "eventId": str(due_event_id(occasion, "2026-05-03")),
        "occasionId": str(occasion),
        "eventType": "REMINDER",
        "localDate": "2026-05-03",
        "localTime": "00:00",
        "timezone": "UTC",
        "dueAt": "2026-05-03T10:00:00Z",
        "jitterSeconds": 90,
        "status": "FAILED",
        "completedAt": "2026-05-05T10:00:00Z",
        "failureReason": "HTTP 500 after 10 attempts",
    }


BAD_QUESTIONS = {
    "next=0": ["next"],
    "next=51": ["next"],
    "next=many&limit=1": ["limit", "next"],
    "cursor=x": ["cursor"],
    "next=1&since=2026-05-01T10:00:00Z": ["next", "since"],
    "since=2026-05-01": ["since"],
    "since=now": ["since"],
    "since=2026-05-01T10:00:00Z&limit=0&cursor=x": ["limit", "cursor"],
    "until=2026-05-01T10:00:00Z": ["until"],
}


async def test_a_bad_question_is_told_what_is_wrong_with_it(api: httpx.AsyncClient) -> None:
    for query, fields in BAD_QUESTIONS.items():
        answer = await api.get(f"/user/{uuid4()}/occurrence?{query}")
        assert answer.status_code == 400, query
        assert [error["field"] for error in answer.json()["errors"]] == fields


async def test_an_unknown_users_occurrences_are_not_found(api: httpx.AsyncClient) -> None:
    for query in ("", "?since=2026-05-01T10:00:00Z"):
        answer = await api.get(f"/user/{uuid4()}/occurrence{query}")
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:carillon:problem:unknown-user")
