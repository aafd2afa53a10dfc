"""POST /user: users and the events that tell of them, those that come at once in one statement."""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import Enum, auto
from functools import partial
from typing import Any

import asyncpg
from domain.due_dates import first_date
from messaging.actor import ACTOR
from messaging.outbox import columns
from messaging.trace_messages import Origin, here
from msgspec import Struct
from runtime.database import Connection
from runtime.merge import Merge
from runtime.statements import Statements
from uuid_utils.compat import uuid7

from user_api.context import Context
from user_api.parse_fields import is_future_birth, refuse_future_birth
from user_api.refusals import EmailTakenError
from user_api.user import Details, User
from user_api.user_events import created_messages

SQL = Statements("user_api")

CreateUser = Callable[[Details], Awaitable[User]]


class Creation(Struct, frozen=True):
    """A user to create, what their event happens in, and for whom."""

    details: Details
    origin: Origin | None
    actor: str | None


class NotCreated(Enum):
    """Why a user was not created: for good, or only not together with others."""

    EMAIL_TAKEN = auto()
    NOT_TOGETHER = auto()


def user_creator(context: Context) -> CreateUser:
    """Give the use case. It raises InvalidInputError for a birth in the future, EmailTakenError."""
    together = Merge(partial(create_together, context))

    async def create_user(details: Details) -> User:
        creation = Creation(details, here(), ACTOR.get())
        created: User | NotCreated = NotCreated.NOT_TOGETHER
        # Where the reply is kept in the transaction of its effect, no other request has a part in that.
        if not context.is_held():
            created = await together.put(creation)
        if created is NotCreated.NOT_TOGETHER:
            created = await create_alone(context, creation)
        if isinstance(created, User):
            return created
        raise EmailTakenError

    return create_user


async def create_together(context: Context, creations: Sequence[Creation]) -> list[User | NotCreated]:
    """Create users in one round trip, by an estimate of the database's clock.

    That clock decides, and is known well enough to leave the database only the check. Where the estimate does
    not hold, or would refuse a birth as in the future, the answer is NOT_TOGETHER.
    """
    likely = context.clock.now()
    if likely is None or any(is_born_after(creation, likely) for creation in creations):
        return [NotCreated.NOT_TOGETHER] * len(creations)
    try:
        async with context.connection() as connection:
            return await insert_users(context, connection, creations, likely)
    except asyncpg.DeadlockDetectedError:  # with users of the same addresses in another order
        return [NotCreated.NOT_TOGETHER] * len(creations)


async def create_alone(context: Context, creation: Creation) -> User | NotCreated:
    """Create a user by the database's clock. Raises InvalidInputError for a birth in the future."""
    # In a transaction now() stands still.
    async with context.connection() as connection, connection.transaction():
        now = await connection.fetchval(SQL["business_now"], context.clock_offset)
        refuse_future_birth(creation.details, now)
        (created,) = await insert_users(context, connection, [creation], now)
    return created


def is_born_after(creation: Creation, instant: datetime) -> bool:
    """Tell whether a date of birth is after an instant's, where the user lives."""
    return is_future_birth(creation.details.date_of_birth, creation.details.timezone, instant)


async def insert_users(
    context: Context, connection: Connection, creations: Sequence[Creation], at: datetime
) -> list[User | NotCreated]:
    """Insert users and append their events, if the business clock shows `at`."""
    users = [_created(creation.details, at) for creation in creations]
    origins = [(creation.origin, creation.actor) for creation in creations]
    messages = created_messages(context.topology, users, at, origins=origins)
    asked = time.monotonic()
    (row,) = await connection.fetch(
        SQL["insert_users"], *_columns(users), at, context.clock_offset, *columns(messages)
    )
    context.clock.learn(row["shown_at"], asked=asked, answered=time.monotonic())
    inserted = set(row["ids"])
    absent = NotCreated.EMAIL_TAKEN if row["is_now"] else NotCreated.NOT_TOGETHER
    return [user if user.id in inserted else absent for user in users]


def _created(details: Details, at: datetime) -> User:
    return User(
        id=uuid7(),
        version=1,
        details=details,
        first_date=first_date(details.birthday, None, None, changed_at=at),
        created_at=at,
        updated_at=at,
    )


def _columns(users: Sequence[User]) -> list[list[Any]]:
    described = [user.details for user in users]
    return [
        [user.id for user in users],
        [details.first_name for details in described],
        [details.last_name for details in described],
        [details.date_of_birth for details in described],
        [details.timezone for details in described],
        [details.email for details in described],
        [details.send_at_local for details in described],
        [details.leap_day_policy for details in described],
        [user.first_date for user in users],
    ]
