from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import httpx
from domain.events import Event, OccasionChanged, OccasionState, UserBirthdayChanged
from testkit import build
from testkit.fresh_database import FreshDatabase

Emitted = Callable[[], Awaitable[list[Event]]]
Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]

ANY = {"If-Match": "*"}


async def _occasion(api: httpx.AsyncClient, user: str, body: dict[str, Any]) -> str:
    return str((await api.post(f"{user}/occasion", json=body)).headers["Location"])


async def test_another_leap_day_policy_decides_anew_from_when_on_leap_day_anniversaries_ring(
    api: httpx.AsyncClient, database: FreshDatabase, emitted: Emitted
) -> None:
    body = build.user_body(leapDayPolicy="skip")
    user = (await api.post("/user", json=body)).headers["Location"]
    leap_days = [
        await _occasion(api, user, build.anniversary_body(date=date)) for date in ("2020-02-29", "2016-02-29")
    ]
    other = await _occasion(api, user, build.anniversary_body(date="2020-02-28"))
    # Far enough that the new policy's next date is an earlier one, whatever today is.
    admin = await database.connect()
    await admin.execute("UPDATE users.occasions SET first_date = '2096-02-29' WHERE date <> '2020-02-28'")

    changed = await api.put(user, json={**body, "leapDayPolicy": "mar_1"}, headers=ANY)
    told = (await emitted())[4:]

    assert isinstance(told[0], UserBirthdayChanged)
    occasions = [event for event in told[1:] if isinstance(event, OccasionChanged)]
    assert len(occasions) == len(told) - 1
    assert {f"{user}/occasion/{event.occasion_id}" for event in occasions} == set(leap_days)
    this_year = datetime.now(UTC).year
    for event in occasions:
        assert (event.version, event.leap_day_policy) == (2, "mar_1")
        assert event.first_date in {f"{this_year}-02-29", f"{this_year + 1}-02-29"}
        assert event.occurred_at == datetime.fromisoformat(changed.json()["updatedAt"])
    for location, version in [*((location, 2) for location in leap_days), (other, 1)]:
        assert (await api.get(location)).json()["version"] == version


async def test_every_leap_day_anniversary_is_told_of_another_policy_also_where_its_first_date_stays(
    api: httpx.AsyncClient, emitted: Emitted
) -> None:
    user = (await api.post("/user", json=build.user_body(leapDayPolicy="mar_1"))).headers["Location"]
    leap_day = await _occasion(api, user, build.anniversary_body(date="2020-02-29"))
    other = await _occasion(api, user, build.anniversary_body(date="2020-02-28"))
    await api.put(leap_day, json=build.anniversary_body(date="2020-02-29", name="engagement"), headers=ANY)

    await api.patch(user, json={"leapDayPolicy": "feb_28"}, headers=ANY)
    await api.patch(user, json={"timezone": "Asia/Tokyo"}, headers=ANY)

    told = [event for event in await emitted() if isinstance(event, OccasionState)]
    by_place = {
        place: [event for event in told if place.endswith(str(event.occasion_id))]
        for place in (leap_day, other)
    }
    assert [event.leap_day_policy for event in by_place[leap_day]] == ["mar_1", "mar_1", "feb_28"]
    assert [event.version for event in by_place[leap_day]] == [1, 2, 3]
    assert len({event.first_date for event in by_place[leap_day]}) == 1
    assert [event.leap_day_policy for event in by_place[other]] == [None]
    assert [(await api.get(place)).json()["version"] for place in (leap_day, other)] == [3, 1]


async def test_what_has_ended_stays_so_in_a_zone_where_its_local_time_is_still_to_come(
    database: FreshDatabase, environment: Environment, running: Running
) -> None:
    offset = str((datetime(2027, 3, 1, 12, tzinfo=UTC) - datetime.now(UTC)).total_seconds())
    async with running(environment(database.url("carillon_user_api"), CLOCK_OFFSET_SECONDS=offset)) as api:
        body = build.user_body(timezone="Pacific/Kiritimati")  # where it is 02:00 on March 2
        user = (await api.post("/user", json=body)).headers["Location"]
        bodies = {
            "rung": build.reminder_body(localDateTime="2027-03-02T03:00"),
            "last rung": build.reminder_body(localDateTime="2027-03-01T03:00", rrule="FREQ=DAILY;COUNT=2"),
            "to come": build.reminder_body(localDateTime="2027-03-02T04:00"),
            "endless": build.reminder_body(localDateTime="2027-03-01T05:00", rrule="FREQ=DAILY"),
        }
        places = {called: await _occasion(api, user, occasion) for called, occasion in bodies.items()}
        admin = await database.connect()
        await admin.execute(
            """
            UPDATE users.occasions SET ends_at = ends_at - interval '2 hours'
            WHERE local_date_time::time = '03:00'
            """
        )  # as if an hour had gone by
        await api.put(user, json={**body, "timezone": "Etc/GMT+12"}, headers=ANY)  # midnight on March 1

        refused = await api.put(places["rung"], json={**bodies["rung"], "message": "Go on"}, headers=ANY)
        assert refused.status_code == 409
        upcoming = (await api.get(f"{user}/occurrence?next=3")).json()["items"]
        assert [(item["occasionId"], item["localDate"], item["dueAt"]) for item in upcoming] == [
            (places["to come"].rpartition("/")[2], "2027-03-02", "2027-03-02T16:00:00Z"),
            (places["endless"].rpartition("/")[2], "2027-03-02", "2027-03-02T17:00:00Z"),
            (places["endless"].rpartition("/")[2], "2027-03-03", "2027-03-03T17:00:00Z"),
        ]
        ends = await admin.fetchval(
            "SELECT ends_at FROM users.occasions WHERE local_date_time::time = '04:00'"
        )
        assert ends == datetime(2027, 3, 2, 16, tzinfo=UTC)
