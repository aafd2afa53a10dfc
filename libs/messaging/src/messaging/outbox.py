"""The outbox: append messages in the caller's transaction; the dispatcher relays what was committed."""

from collections.abc import Sequence
from typing import Any

import msgspec
from runtime.database import Connection
from runtime.statements import Statements

from messaging.envelope import Message

SQL = Statements("messaging")


async def append(connection: Connection, messages: Sequence[Message]) -> None:
    """Append `messages` in one statement, to be sent when the caller's transaction commits."""
    if messages:
        await connection.execute(SQL["append"], *columns(messages))


def columns(messages: Sequence[Message]) -> tuple[list[Any], ...]:
    """Give the arguments of `outbox.append`, for a statement that appends beside what else it does."""
    return (
        [message.event_id for message in messages],
        [message.event_type for message in messages],
        [message.priority.rank for message in messages],
        [message.group_id for message in messages],
        [msgspec.json.encode(message.attributes).decode() for message in messages],
        [message.body for message in messages],
    )
