"""One batch of an import: new users by COPY, and the events that tell of them, in one transaction."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

import asyncpg
from domain.due_dates import first_date
from messaging.envelope import Message
from messaging.outbox import append
from runtime.database import Connection
from runtime.statements import Statements
from uuid_utils.compat import uuid7

from user_api.context import Context
from user_api.import_line import LineResult, Wanted
from user_api.known_users import KnownUsers
from user_api.user import User
from user_api.user_events import created_messages

SQL = Statements("user_api")

# Every one means that somebody else created one of the batch's users meanwhile, who is found the next time.
MOST_TRIES = 10
MET_SOMEBODY = ("users_by_email", "users_by_import_key")
# Rows worked on before others get their turn: 5 to 10 ms.
TURN = 250

COLUMNS = (
    *("id", "first_name", "last_name", "date_of_birth", "timezone", "email", "send_at_local"),
    *("leap_day_policy", "first_date", "created_at", "updated_at", "import_key"),
)


async def import_batch(context: Context, batch: Sequence[Wanted]) -> list[LineResult]:
    """Create who is new, and tell what became of each line, in order: it is committed when this returns."""
    for _ in range(MOST_TRIES - 1):
        try:
            return await _import(context, batch)
        except asyncpg.DeadlockDetectedError:
            pass  # with another import, which has its lines in another order
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name not in MET_SOMEBODY:
                raise
    return await _import(context, batch)


async def _import(context: Context, batch: Sequence[Wanted]) -> list[LineResult]:
    async with context.connection() as connection, connection.transaction():
        rows = await connection.fetch(
            SQL["find_imported"],
            [wanted.key for wanted in batch],
            [wanted.details.email for wanted in batch],
            context.clock_offset,
        )
        at: datetime = rows[0]["at"]
        known = KnownUsers()
        results: list[LineResult] = []
        new: list[tuple[User, str | None]] = []
        messages: list[Message] = []
        lines = zip(batch, rows, strict=True)
        while turn := list(islice(lines, TURN)):
            created = []
            for wanted, row in turn:
                result = known.recognise(wanted, row, at)
                if result is None:
                    user = _new_user(wanted, at)
                    known.add(user.id, wanted.key, row["email"])
                    created.append((user, wanted.key))
                    result = LineResult(line=wanted.line, status="created", id=user.id)
                results.append(result)
            messages += created_messages(context.topology, [user for user, _ in created], at)
            new += created
            await asyncio.sleep(0)
        await _copy(connection, new)
        await append(connection, messages)
    return results


def _new_user(wanted: Wanted, at: datetime) -> User:
    return User(
        id=uuid7(),
        version=1,
        details=wanted.details,
        first_date=first_date(wanted.details.birthday, None, None, changed_at=at),
        created_at=at,
        updated_at=at,
    )


async def _copy(connection: Connection, new: Sequence[tuple[User, str | None]]) -> None:
    if new:
        await connection.copy_records_to_table(
            "users", schema_name="users", columns=COLUMNS, records=_records(new)
        )


def _records(new: Sequence[tuple[User, str | None]]) -> Iterator[tuple[object, ...]]:
    for user, key in new:
        details = user.details
        yield (
            user.id,
            details.first_name,
            details.last_name,
            details.date_of_birth,
            details.timezone,
            details.email,
            details.send_at_local,
            details.leap_day_policy.value,
            user.first_date,
            user.created_at,
            user.updated_at,
            key,
        )
