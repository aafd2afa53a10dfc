import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
from domain.events import Event, OccasionAdded, OccasionChanged, OccasionRemoved, OccasionState, UserCreated
from domain.ids import birthday_occasion_id
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from testkit import build
from testkit.fresh_database import FreshDatabase

Emitted = Callable[[], Awaitable[list[Event]]]
Stored = Callable[[], Awaitable[tuple[int, int]]]
Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]

BODIES = {
    "ANNIVERSARY": build.anniversary_body(),
    "REMINDER": build.reminder_body(),
    "NOTIFICATION": build.notification_body(),
}
ANY = {"If-Match": "*"}


async def _user(api: httpx.AsyncClient, **details: object) -> str:
    return str((await api.post("/user", json=build.user_body(**details))).headers["Location"])


async def _occasion(api: httpx.AsyncClient, user: str, body: dict[str, Any]) -> str:
    answer = await api.post(f"{user}/occasion", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


def _local(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="seconds")


lines = (
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=100)
    .map(str.strip)
    .filter(lambda text: any(character.isprintable() and character != " " for character in text))
)
# Whole minutes are answered as HH:MM.
times = (
    st.times()
    .map(lambda at: at.replace(microsecond=0))
    .map(lambda at: at.isoformat("seconds" if at.second else "minutes"))
)
priorities = st.sampled_from(["critical", "high", "normal", "low"])
moments = st.datetimes(datetime(2090, 1, 1), datetime(9990, 1, 1))  # noqa: DTZ001 - local
RULES = [
    *("FREQ=DAILY", "FREQ=DAILY;INTERVAL=3;COUNT=10", "FREQ=WEEKLY;BYDAY=MO,FR", "FREQ=MONTHLY;BYDAY=-1FR"),
    *("FREQ=YEARLY;UNTIL=99981231", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "FREQ=MONTHLY;BYMONTHDAY=31"),
]
occasions = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("ANNIVERSARY"), "name": lines, "date": st.dates().map(str)},
        optional={"sendAtLocal": times, "priority": priorities},
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("REMINDER"),
            "message": lines,
            "localDateTime": st.tuples(moments, times).map(lambda at: f"{at[0].date()}T{at[1]}"),
        },
        optional={"name": lines, "priority": priorities, "rrule": st.sampled_from(RULES)},
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("NOTIFICATION"),
            "message": lines,
            "at": moments.map(lambda at: at.isoformat() + "Z"),
        },
        optional={"name": lines, "priority": priorities},
    ),
)

OF_ANY_TYPE = {"id", "userId", "version", "type", "priority", "paused", "createdAt", "updatedAt"}
OF_TYPE = {
    "ANNIVERSARY": {"name", "date", "sendAtLocal"},
    "REMINDER": {"name", "message", "localDateTime", "rrule"},
    "NOTIFICATION": {"name", "message", "at"},
}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=occasions)
async def test_any_occasion_is_answered_read_back_as_sent_and_told_whole(
    api: httpx.AsyncClient, emitted: Emitted, body: dict[str, str]
) -> None:
    user = await _user(api, timezone="America/New_York")
    created = await api.post(f"{user}/occasion", json=body)
    occasion = created.json()

    assert created.status_code == 201, created.text
    assert created.headers["Location"] == f"{user}/occasion/{occasion['id']}"
    assert created.headers["ETag"] == '"1"'
    read = await api.get(created.headers["Location"])
    assert (read.json(), read.headers["ETag"]) == (occasion, '"1"')
    assert occasion | body == occasion
    assert UUID(occasion["id"]).version == 7
    assert (f"/user/{occasion['userId']}", occasion["version"]) == (user, 1)
    # An answer has the fields of its type, null where nothing was given, and no others.
    assert occasion.keys() == OF_ANY_TYPE | OF_TYPE[body["type"]]
    assert None not in (occasion.get("message", ""), occasion.get("at", ""), occasion.get("date", ""))

    event = (await emitted())[-1]
    assert isinstance(event, OccasionAdded)
    assert (str(event.occasion_id), str(event.user_id), event.version) == (
        occasion["id"],
        occasion["userId"],
        1,
    )
    assert event.occurred_at == datetime.fromisoformat(occasion["createdAt"])
    assert (event.type, event.priority) == (body["type"], body.get("priority"))
    assert (event.name, event.message, event.rrule) == tuple(map(body.get, ("name", "message", "rrule")))
    assert event.first_date >= str(event.occurred_at.date() - timedelta(days=1))
    same = await api.put(read.request.url.path, json=occasion, headers={"If-Match": '"1"'})
    assert (same.status_code, same.json()) == (200, occasion)
    assert (await emitted())[-1] == event


WRONG: list[tuple[str, object]] = [
    *[("type", "BIRTHDAY"), ("type", None), ("name", "a" * 101), ("message", "\n"), ("date", "2001-02-29")],
    *[("localDateTime", "2101-02-29T10:00"), ("at", "2101-01-01T10:00"), ("rrule", "FREQ=HOURLY")],
    *[("sendAtLocal", "24:00"), ("priority", "urgent"), ("version", 1), ("colour", "red"), ("id", "1")],
]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=occasions, wrong=st.lists(st.sampled_from(WRONG), min_size=1, unique_by=lambda fault: fault[0]))
async def test_whatever_is_wrong_every_field_at_fault_is_named_nothing_stored_and_nothing_told(
    api: httpx.AsyncClient,
    database: FreshDatabase,
    emitted: Emitted,
    body: dict[str, str],
    wrong: list[tuple[str, object]],
) -> None:
    user = await _user(api)
    answer = await api.post(f"{user}/occasion", json={**body, **dict(wrong)})

    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:carillon:problem:invalid-input"
    assert {error["field"] for error in answer.json()["errors"]} == {field for field, _ in wrong}
    admin = await database.connect()
    assert await admin.fetchval("SELECT count(*) FROM users.occasions") == 0
    assert {type(event) for event in await emitted()} == {UserCreated}
    await admin.close()


async def test_a_reminders_rule_is_kept_in_its_normal_form_with_its_end_in_the_users_zone(
    api: httpx.AsyncClient, emitted: Emitted
) -> None:
    user = await _user(api, timezone="Pacific/Kiritimati")  # UTC+14
    body = build.reminder_body(rrule="RRULE:until=21000110T210000Z;freq=daily")
    answer = await api.post(f"{user}/occasion", json=body)

    # 2100-01-10T21:00Z is 11:00 on the 11th there, when that day has rung.
    assert answer.json()["rrule"] == "FREQ=DAILY;UNTIL=21000111"
    event = (await emitted())[1]
    assert isinstance(event, OccasionAdded)
    assert (event.rrule, str(event.last_date)) == ("FREQ=DAILY;UNTIL=21000111", "2100-01-11")
    # Its last date in Kiritimati is the first, though it is still 2099 in UTC; and in the west there is none.
    for timezone, until, status in (
        ("Pacific/Kiritimati", "20991231T200000Z", 201),
        ("Pacific/Kiritimati", "20991231T195959Z", 400),
        ("Etc/GMT+12", "21000101T215959Z", 400),
    ):
        user = await _user(api, timezone=timezone)
        body = build.reminder_body(rrule=f"FREQ=DAILY;UNTIL={until}")
        answer = await api.post(f"{user}/occasion", json=body)
        assert answer.status_code == status
        assert [error["field"] for error in answer.json().get("errors", [])] == ["rrule"] * (status == 400)


async def test_a_one_off_in_the_past_is_refused_where_the_user_lives_by_the_databases_clock(
    api: httpx.AsyncClient, stored: Stored
) -> None:
    now = datetime.now(UTC)
    for timezone, ahead in (("Pacific/Kiritimati", 14), ("Etc/GMT+12", -12)):
        user = await _user(api, timezone=timezone)
        there = now + timedelta(hours=ahead)
        soon, gone = _local(there + timedelta(hours=1)), _local(there - timedelta(hours=1))
        await _occasion(api, user, build.reminder_body(localDateTime=soon))
        refused = await api.post(f"{user}/occasion", json=build.reminder_body(localDateTime=gone))
        assert (refused.status_code, refused.json()["errors"]) == (
            400,
            [{"field": "localDateTime", "reason": "is in the past"}],
        )
    user = await _user(api)
    gone = (now - timedelta(minutes=1)).isoformat()
    refused = await api.post(f"{user}/occasion", json=build.notification_body(at=gone))
    assert refused.json()["errors"] == [{"field": "at", "reason": "is in the past"}]
    ended = build.reminder_body(localDateTime="2001-01-01T10:00", rrule="FREQ=DAILY;COUNT=3")
    refused = await api.post(f"{user}/occasion", json=ended)
    assert refused.json()["errors"] == [{"field": "rrule", "reason": "has no date that is still to come"}]
    assert await stored() == (3, 5)


async def test_now_is_the_transactions_own_time_and_what_has_rung_is_not_changed_but_deleted(
    api: httpx.AsyncClient, emitted: Emitted
) -> None:
    user = await _user(api)
    location = await _occasion(api, user, build.notification_body(at="now"))
    rung = (await api.get(location)).json()

    assert rung["at"] == rung["createdAt"]
    changed = await api.put(location, json={**rung, "message": "Doors closed"}, headers=ANY)
    assert (changed.status_code, changed.json()["type"]) == (409, "urn:carillon:problem:occasion-ended")
    again = await api.put(location, json={**rung, "at": "now"}, headers=ANY)
    assert again.status_code == 409
    assert (await api.delete(location, headers={"If-Match": '"1"'})).status_code == 204
    assert (await api.get(location)).status_code == 404
    _, added, removed = await emitted()
    assert isinstance(added, OccasionAdded)
    assert added.at == added.occurred_at
    assert added.first_date == str(added.occurred_at.date())
    assert isinstance(removed, OccasionRemoved)
    assert (removed.occasion_id, removed.version) == (added.occasion_id, 2)


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("ANNIVERSARY", {"name": "first date"}),
    ("ANNIVERSARY", {"date": "2019-06-02", "sendAtLocal": "10:00", "priority": "low"}),
    ("REMINDER", {"message": "Go on"}),
    ("REMINDER", {"localDateTime": "2100-01-02T10:00:30", "rrule": "FREQ=WEEKLY", "name": "break"}),
    ("NOTIFICATION", {"at": "2100-01-01T10:00:00.000001Z"}),
]


async def test_a_change_is_answered_stored_and_told_with_the_new_version_and_state(
    api: httpx.AsyncClient, emitted: Emitted
) -> None:
    user = await _user(api)
    for before, change in CHANGES:
        location = await _occasion(api, user, BODIES[before])
        body = {**BODIES[before], **change}
        changed = await api.put(location, json=body, headers={"If-Match": '"1"'})

        assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
        assert changed.json() | body == changed.json()
        assert (await api.get(location)).json() == changed.json()
        event = (await emitted())[-1]
        assert isinstance(event, OccasionChanged)
        assert event.version == 2
        assert event.occurred_at == datetime.fromisoformat(changed.json()["updatedAt"])
        assert (event.name, event.message, event.rrule) == tuple(map(body.get, ("name", "message", "rrule")))


async def test_another_type_and_a_day_that_has_rung_already_are_refused(
    database: FreshDatabase, environment: Environment, running: Running, emitted: Emitted
) -> None:
    noon = datetime(2027, 3, 1, 12, tzinfo=UTC)
    offset = str((noon - datetime.now(UTC)).total_seconds())
    async with running(environment(database.url("carillon_user_api"), CLOCK_OFFSET_SECONDS=offset)) as api:
        user = await _user(api, timezone="UTC")
        daily = build.reminder_body(localDateTime="2027-02-20T10:00", rrule="FREQ=DAILY")
        location = await _occasion(api, user, daily)
        admin = await database.connect()
        await admin.execute("UPDATE users.occasions SET first_date = '2027-02-20'")

        other = await api.put(location, json=BODIES["ANNIVERSARY"], headers=ANY)
        assert [error["field"] for error in other.json()["errors"]] == ["type"]
        for change in (
            {"localDateTime": "2027-03-01T15:00", "rrule": None},
            {"rrule": "FREQ=DAILY;COUNT=10"},
        ):
            late = {**daily, "localDateTime": "2027-02-20T15:00", **change}
            rung = await api.put(location, json=late, headers=ANY)
            assert rung.json()["errors"] == [
                {"field": "localDateTime", "reason": "leaves only a day on which it has rung already"}
            ]
        later = {**daily, "localDateTime": "2027-02-20T15:00"}
        assert (await api.put(location, json=later, headers=ANY)).status_code == 200
        tomorrow = build.reminder_body(localDateTime="2027-03-02T09:00")
        assert (await api.put(location, json=tomorrow, headers=ANY)).status_code == 200
    dates = [event.first_date for event in await emitted() if isinstance(event, OccasionState)]
    assert dates == ["2027-03-02", "2027-03-01", "2027-03-02"]


async def test_a_change_needs_the_version_and_of_concurrent_ones_one_is_made(
    api: httpx.AsyncClient, emitted: Emitted
) -> None:
    location = await _occasion(api, await _user(api), BODIES["REMINDER"])

    async def change(place: int, headers: dict[str, str]) -> int:
        body = build.reminder_body(message=f"{place}")
        return (await api.put(location, json=body, headers=headers)).status_code

    assert await change(0, {}) == 428
    assert await change(0, {"If-Match": '"2"'}) == 412
    assert (await api.delete(location)).status_code == 428
    stale = await api.delete(location, headers={"If-Match": '"2"'})
    assert (stale.status_code, stale.headers["ETag"]) == (412, '"1"')
    assert stale.json()["title"] == "The occasion was changed meanwhile"
    answers = await asyncio.gather(*(change(place, {"If-Match": '"1"'}) for place in range(6)))
    assert sorted(answers) == [200] + [412] * 5
    assert await asyncio.gather(*(change(10 + place, ANY) for place in range(4))) == [200] * 4
    told = [event for event in await emitted() if isinstance(event, OccasionState)]
    assert [event.version for event in told] == [1, 2, 3, 4, 5, 6]
    assert told == sorted(told, key=lambda event: event.occurred_at)
    kept = await api.get(location, headers={"If-None-Match": '"6"'})
    assert (kept.status_code, kept.content) == (304, b"")


async def test_what_does_not_exist_and_what_is_anothers_is_not_found(api: httpx.AsyncClient) -> None:
    user, other = await _user(api), await _user(api)
    theirs = await _occasion(api, other, BODIES["REMINDER"])
    occasion_id = theirs.rpartition("/")[2]
    for path, kind in (
        (f"/user/{uuid4()}/occasion/{occasion_id}", "unknown-user"),
        (f"{user}/occasion/{occasion_id}", "unknown-occasion"),
        (f"{user}/occasion/{uuid4()}", "unknown-occasion"),
    ):
        for method in ("GET", "PUT", "DELETE"):
            body = BODIES["REMINDER"] if method == "PUT" else None
            answer = await api.request(method, path, json=body, headers=ANY)
            assert (answer.status_code, answer.json()["type"]) == (404, f"urn:carillon:problem:{kind}")
    for method in ("GET", "POST"):
        assert (
            await api.request(method, f"/user/{uuid4()}/occasion", json=BODIES["REMINDER"])
        ).status_code == 404
    for path, field in ((f"{user}/occasion/1", "id"), (f"/user/1/occasion/{uuid4()}", "userId")):
        assert (await api.get(path)).json()["errors"] == [{"field": field, "reason": "is not a UUID"}]
    assert (await api.get(theirs)).status_code == 200


async def test_the_list_has_the_birthday_first_which_follows_from_the_user(
    api: httpx.AsyncClient, emitted: Emitted
) -> None:
    user = await _user(api, sendAtLocal="08:30")
    made = [await _occasion(api, user, body) for body in BODIES.values()]
    whole = (await api.get(f"{user}/occasion")).json()
    paged, path = [], f"{user}/occasion?limit=1"
    while path:
        page = await api.get(path)
        paged += page.json()["items"]
        path = page.links.get("next", {}).get("url", "")

    assert paged == whole["items"]
    assert whole["nextCursor"] is None
    birthday, *others = paged
    assert [f"{user}/occasion/{occasion['id']}" for occasion in others] == made
    assert birthday["id"] == str(birthday_occasion_id(UUID(user.rpartition("/")[2])))
    assert (birthday["type"], birthday["date"], birthday["sendAtLocal"]) == (
        "BIRTHDAY",
        "1990-12-10",
        "08:30",
    )
    location = f"{user}/occasion/{birthday['id']}"
    read = await api.get(location)
    assert (read.json(), read.headers["ETag"]) == (birthday, '"1"')
    for refused in (
        await api.put(location, json=BODIES["ANNIVERSARY"], headers=ANY),
        await api.delete(location, headers=ANY),
    ):
        assert (refused.status_code, refused.json()["type"]) == (
            409,
            "urn:carillon:problem:birthday-follows-user",
        )
    assert len(await emitted()) == 4


async def test_an_event_that_cannot_be_appended_takes_the_change_with_it(
    api: httpx.AsyncClient, database: FreshDatabase
) -> None:
    user = await _user(api)
    location = await _occasion(api, user, BODIES["REMINDER"])
    before = (await api.get(location)).json()
    admin = await database.connect()
    await admin.execute("REVOKE EXECUTE ON FUNCTION outbox.append FROM carillon_user_api")

    for answer in (
        await api.post(f"{user}/occasion", json=BODIES["ANNIVERSARY"]),
        await api.put(location, json=build.reminder_body(message="Go on"), headers=ANY),
        await api.delete(location, headers=ANY),
    ):
        assert answer.status_code == 500
    assert (await api.get(location)).json() == before
    assert await admin.fetchval("SELECT count(*) FROM users.occasions") == 1


async def test_occasions_go_with_their_user_and_their_events_ids_are_derived(
    api: httpx.AsyncClient, database: FreshDatabase
) -> None:
    user = await _user(api)
    occasion_id = UUID((await _occasion(api, user, BODIES["REMINDER"])).rpartition("/")[2])
    admin = await database.connect()
    row = await admin.fetchrow("SELECT event_id, group_id FROM outbox.messages ORDER BY id DESC LIMIT 1")
    assert row is not None
    assert row["event_id"] == uuid5(occasion_id, "1/OccasionAdded")
    assert f"/user/{row['group_id']}" == user

    assert (await api.delete(user, headers=ANY)).status_code == 204

    assert await admin.fetchval("SELECT count(*) FROM users.occasions") == 0
    assert await admin.fetchval("SELECT count(*) FROM outbox.messages") == 3


async def test_a_user_has_at_most_a_thousand_occasions_still_to_ring(
    api: httpx.AsyncClient, database: FreshDatabase
) -> None:
    user = await _user(api)
    await _occasion(api, user, BODIES["REMINDER"])
    admin = await database.connect()
    await admin.execute(
        """
        INSERT INTO users.occasions
            (id, user_id, type, message, at, first_date, ends_at, created_at, updated_at)
        SELECT gen_random_uuid(), user_id, 'NOTIFICATION', 'Hey', now(), first_date,
            CASE WHEN place < 998 THEN timestamptz '2100-01-01' ELSE now() END, now(), now()
        FROM users.occasions, generate_series(1, 1500) AS place
        """
    )

    answers = await asyncio.gather(
        *(api.post(f"{user}/occasion", json=BODIES["NOTIFICATION"]) for _ in range(5))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409]
    assert {answer.json()["type"] for answer in answers if answer.status_code == 409} == {
        "urn:carillon:problem:too-many-occasions"
    }
