"""Every order and every repetition of a short life end in the same state: all of them, not some."""

from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid5

import pytest
from domain.events import (
    Event,
    OccasionAdded,
    OccasionChanged,
    UserBirthdayChanged,
    UserCreated,
    UserNameChanged,
    UserTimezoneChanged,
)
from msgspec import structs
from runtime.database import Connection
from testkit import build

Plan = Callable[..., Coroutine[Any, Any, None]]

NAMESPACE = UUID(int=40)
CREATED_AT = datetime(2026, 6, 1, tzinfo=UTC)
# All that planning keeps of a user, but for ids and for when it was planned.
STATE = """
    SELECT user_id, jsonb_agg(kept ORDER BY kept)::text AS state
    FROM (
        SELECT id AS user_id, to_jsonb(kept) - '{id,traceparent}'::text[] AS kept FROM schedule.users AS kept
        UNION ALL
        SELECT user_id, to_jsonb(kept) - '{id,user_id,traceparent}'::text[] FROM schedule.occasions AS kept
        UNION ALL
        SELECT user_id, to_jsonb(kept) - '{user_id,occasion_id,event_id,planned_at,traceparent}'::text[]
        FROM schedule.occurrences AS kept
    ) AS everything
    GROUP BY user_id
"""


def life(user_id: UUID) -> list[Event]:
    """Tell of a user who moves, marries, is renamed and has another birthday; the wedding day changes too."""
    created = build.user_created(user_id=user_id, occurred_at=CREATED_AT)
    wedding = build.occasion_added(
        user_id=user_id,
        occasion_id=uuid5(user_id, "wedding"),
        occurred_at=CREATED_AT + timedelta(hours=1),
        first_date="2027-06-01",
    )
    return [
        created,
        wedding,
        user_change(created, UserTimezoneChanged, 2, timezone="Pacific/Kiritimati"),
        user_change(created, UserNameChanged, 3, timezone="Pacific/Kiritimati", first_name="Augusta"),
        user_change(
            *(created, UserBirthdayChanged, 4),
            timezone="Pacific/Kiritimati",
            first_name="Augusta",
            send_at_local=time(23, 30),
        ),
        OccasionChanged(**structs.asdict(wedding) | {"version": 2, "name": "second wedding"}),
    ]


def user_change(user: UserCreated, kind: type[Event], version: int, **changes: object) -> Event:
    at = CREATED_AT + timedelta(days=version)
    return kind(**structs.asdict(user) | {"version": version, "occurred_at": at} | changes)


def ended_life(user_id: UUID) -> list[Event]:
    """Tell of one whose occasion and then whose account is removed."""
    created, wedding, moved, *_, changed = life(user_id)
    assert isinstance(wedding, OccasionAdded)
    removed = build.occasion_removed(wedding, version=3)
    return [created, wedding, moved, changed, removed, build.user_deleted(user_id, version=5)]


@pytest.mark.parametrize("tell", [life, ended_life])
async def test_whatever_the_order_and_however_often_the_state_is_the_same(
    tell: Callable[[UUID], list[Event]], plan: Plan, admin: Connection
) -> None:
    orders = list(permutations(range(len(tell(NAMESPACE)))))
    lives = [
        [tell(user_id)[place] for place in order] for user_id, order in zip(users(), orders, strict=False)
    ]

    # A user an order, side by side: each hears its next event, and at once again the one before.
    for step in range(len(lives[0])):
        await plan(*(told for each in lives for told in each[max(step - 1, 0) : step + 1]))
    once = {row["user_id"]: row["state"] for row in await admin.fetch(STATE)}
    for step in range(len(lives[0])):
        await plan(*(each[step] for each in lives))
    again = {row["user_id"]: row["state"] for row in await admin.fetch(STATE)}

    assert (len(once), set(once.values())) == (720, {next(iter(once.values()))})
    assert again == once


def users() -> Iterator[UUID]:
    """Give ids without end."""
    number = 0
    while True:
        yield uuid5(NAMESPACE, str(number))
        number += 1
