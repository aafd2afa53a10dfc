"""POST /user/{id}/change-preview: what a change would move, by the functions that change and plan."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

import asyncpg
from domain.due_dates import planned
from domain.ids import birthday_occasion_id
from domain.kinds import OccasionType
from domain.kinds.birthday import BIRTHDAY
from domain.occasion import Rule
from domain.send_window import spread
from msgspec import Struct, structs
from runtime.statements import Statements

from user_api.change_user import changed
from user_api.context import Context
from user_api.decide_dates import rule_in
from user_api.emitted_last import by_occasion, emitted_last
from user_api.event_types import send_windows
from user_api.follow_user import followed, owner
from user_api.occasion import occasion_of
from user_api.parse_fields import refuse_future_birth
from user_api.preview_occurrences import AT_A_TIME
from user_api.read_user import read_user
from user_api.refusals import UnknownUserError
from user_api.user import Instant, User, shown_time

SQL = Statements("user_api")

# Clocks are up to 26 hours apart: what has ended here may be still to come where the user moves to.
LATELY = timedelta(days=2)


class PlannedAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """A date that is planned; one whose instant has passed is due at once."""

    local_date: date
    local_time: str
    timezone: str
    due_at: Instant


class MoveAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """An occasion whose next date a change would move; null where it has none."""

    occasion_id: UUID
    event_type: OccasionType
    before: PlannedAnswer | None
    after: PlannedAnswer | None


class MoveItems(Struct, frozen=True, kw_only=True):
    """What a change would move, in order of when it would ring."""

    items: list[MoveAnswer]


class Plan(Struct, frozen=True):
    """What the next date of an occasion follows from."""

    rule: Rule
    first_date: str


class Change(Struct, frozen=True, kw_only=True):
    """An occasion before and after a change of its user."""

    occasion_id: UUID
    type: OccasionType
    before: Plan
    after: Plan


async def preview_change(context: Context, user_id: UUID, patch: Mapping[str, Any]) -> list[MoveAnswer]:
    """Give what setting the attributes of Details that `patch` names would move; nothing is written.

    Raises UnknownUserError, InvalidInputError for a birth in the future.
    """
    old = await read_user(context, user_id)
    async with context.connection() as connection:
        rows = await connection.fetch(SQL["find_living_occasions"], user_id, context.clock_offset, LATELY)
        if not rows:
            raise UnknownUserError
        at = max(rows[0]["business_now"], old.updated_at)
        emitted = by_occasion(await connection.fetch(SQL["find_emitted_last"], user_id, at - 2 * LATELY))
    details = structs.replace(old.details, **patch)
    refuse_future_birth(details, at)
    new = changed(old, details, at)
    windows = send_windows(context.topology)
    moves = []
    for place, change in enumerate(_changes(rows, old, new)):
        if place % AT_A_TIME == AT_A_TIME - 1:
            await asyncio.sleep(0)
        after_date = emitted_last(change.after.rule, emitted.get(change.occasion_id, ()))
        move = _move(change, after_date, windows[change.type])
        due = move.after or move.before
        if due is not None and move.before != move.after:
            moves.append((due.due_at, move.occasion_id, move))
    return [move for *_, move in sorted(moves, key=itemgetter(0, 1))]


def _changes(rows: Sequence[asyncpg.Record], old: User, new: User) -> Iterator[Change]:
    yield Change(
        occasion_id=birthday_occasion_id(old.id),
        type=OccasionType(BIRTHDAY.occasion_type),
        before=Plan(old.details.birthday, old.first_date),
        after=Plan(new.details.birthday, new.first_date),
    )
    for row in rows:
        if row["id"] is not None:
            occasion = occasion_of(row)
            decided = followed(occasion, old, new)
            yield Change(
                occasion_id=occasion.id,
                type=occasion.details.type,
                before=Plan(rule_in(occasion, owner(old)), occasion.first_date),
                after=Plan(rule_in(decided, owner(new)), decided.first_date),
            )


def _move(change: Change, after_date: str | None, window_minutes: int) -> MoveAnswer:
    def next_date(plan: Plan) -> PlannedAnswer | None:
        due = planned(plan.rule, first_date=plan.first_date, after_date=after_date)
        if due is None:
            return None
        due = spread(due, change.occasion_id, window_minutes)
        return PlannedAnswer(
            local_date=due.local_date,
            local_time=shown_time(due.local_time),
            timezone=plan.rule.timezone,
            due_at=due.due_at,
        )

    return MoveAnswer(
        occasion_id=change.occasion_id,
        event_type=change.type,
        before=next_date(change.before),
        after=next_date(change.after),
    )
