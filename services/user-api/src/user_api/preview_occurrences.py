"""GET /user/{id}/occurrence?next=N: the next dates, by the function that plans them."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import heapify, heappop, heapreplace
from uuid import UUID

import asyncpg
from domain.due_dates import DueDate, upcoming
from domain.ids import birthday_occasion_id, due_event_id
from domain.kinds.birthday import BIRTHDAY
from domain.occasion import Rule, Yearly
from domain.occurrence import OccurrenceStatus
from domain.send_window import spread
from msgspec import Struct
from runtime.statements import Statements

from user_api.context import Context
from user_api.decide_dates import rule_in
from user_api.emitted_last import by_occasion, emitted_last
from user_api.event_types import send_windows
from user_api.occasion import occasion_of, owner_of
from user_api.occurrence_answer import UpcomingAnswer
from user_api.refusals import UnknownUserError
from user_api.user import shown_time

SQL = Statements("user_api")

# What rang longer ago holds back no date to come: clocks and leap-day policies are days apart at most.
LATELY = timedelta(days=4)
# After so many occasions other requests are let in: a few milliseconds.
AT_A_TIME = 50


class Occurring(Struct, frozen=True, kw_only=True):
    """An occasion as planning sees it: it rings from `first_date` on, after `after_date`, which rang.

    `window_minutes` is the send window of its type.
    """

    id: UUID
    type: str
    rule: Rule
    first_date: str
    after_date: str | None
    window_minutes: int

    def next(self, after_date: str | None, now: datetime) -> DueDate | None:
        """Give the date that is planned after a date, if it is due after `now`, or else the next that is."""
        promised_after = now - timedelta(minutes=self.window_minutes)
        while dates := upcoming(
            self.rule, first_date=self.first_date, after_date=after_date, now=promised_after, count=1
        ):
            due = spread(dates[0], self.id, self.window_minutes)
            if due.due_at > now:
                return due
            after_date = due.nominal_date
        return None


async def preview_occurrences(context: Context, user_id: UUID, count: int) -> list[UpcomingAnswer]:
    """Give the next `count` dates of a user's occasions that are due after now. Raises UnknownUserError."""
    windows = send_windows(context.topology)
    longest = timedelta(minutes=max(windows.values()))
    async with context.connection() as connection:
        rows = await connection.fetch(SQL["find_living_occasions"], user_id, context.clock_offset, longest)
        if not rows:
            raise UnknownUserError
        now: datetime = rows[0]["business_now"]
        near = await connection.fetch(SQL["find_near_occurrences"], user_id, now - LATELY)
    planned = {row["event_id"] for row in near if row["status"] == OccurrenceStatus.PENDING}
    # Each occasion's next date first; then only those are asked again whose date was taken.
    nexts = []
    for place, occurring in enumerate(_occurring(user_id, rows, by_occasion(near), windows)):
        if place % AT_A_TIME == AT_A_TIME - 1:
            await asyncio.sleep(0)
        if (due := occurring.next(occurring.after_date, now)) is not None:
            nexts.append((due.due_at, occurring.id, due, occurring))
    heapify(nexts)
    answers: list[UpcomingAnswer] = []
    while nexts and len(answers) < count:
        _, _, due, occurring = nexts[0]
        answers.append(_answer(occurring, due, planned))
        if (following := occurring.next(due.nominal_date, now)) is not None:
            heapreplace(nexts, (following.due_at, occurring.id, following, occurring))
        else:
            heappop(nexts)
    return answers


def _occurring(
    user_id: UUID,
    rows: Sequence[asyncpg.Record],
    near: Mapping[UUID, Sequence[asyncpg.Record]],
    windows: Mapping[str, int],
) -> Iterator[Occurring]:
    owner = owner_of(user_id, rows[0])
    birthday = birthday_occasion_id(user_id)
    born = Yearly(
        date=rows[0]["date_of_birth"],
        send_at_local=rows[0]["birthday_at"],
        timezone=owner.timezone,
        leap_day_policy=owner.leap_day_policy,
    )
    yield Occurring(
        id=birthday,
        type=BIRTHDAY.occasion_type,
        rule=born,
        first_date=rows[0]["birthday_first_date"],
        after_date=emitted_last(born, near.get(birthday, ())),
        window_minutes=windows[BIRTHDAY.occasion_type],
    )
    for row in rows:
        if row["id"] is not None:
            occasion = occasion_of(row)
            rule = rule_in(occasion, owner)
            yield Occurring(
                id=occasion.id,
                type=occasion.details.type,
                rule=rule,
                first_date=occasion.first_date,
                after_date=emitted_last(rule, near.get(occasion.id, ())),
                window_minutes=windows[occasion.details.type],
            )


def _answer(occurring: Occurring, due: DueDate, planned: Collection[UUID]) -> UpcomingAnswer:
    return UpcomingAnswer(
        occasion_id=occurring.id,
        event_type=occurring.type,
        local_date=due.local_date,
        local_time=shown_time(due.local_time),
        timezone=occurring.rule.timezone,
        due_at=due.due_at,
        jitter_seconds=due.jitter_seconds,
        status="PENDING" if due_event_id(occurring.id, due.nominal_date) in planned else "PREVIEW",
    )
