"""Dead letters as they are answered."""

from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Meta, Struct

from user_api.user import Instant

Status = Literal["open", "redriving", "redriven", "erased"]
STATUSES: tuple[Status, ...] = get_args(Status)


class DeadLetterAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """A message that nobody could handle as answered in a list."""

    id: UUID
    queue: Annotated[str, Meta(description="The queue that it was meant for, as the topology calls it.")]
    source: Annotated[
        Literal["consumer", "subscription"],
        Meta(
            description="`consumer`: who receives from the queue could not handle it; `subscription`: SNS "
            "could not deliver it."
        ),
    ]
    message_id: Annotated[str, Meta(description="The id that SQS gave it.")]
    event_type: Annotated[str | None, Meta(description="The type of its event, if it says so.")]
    reason: str
    received_at: Annotated[Instant, Meta(description="When it was taken from the dead-letter queue.")]
    status: Annotated[
        Status,
        Meta(description="`erased`: what it said went with its user, and it cannot be sent back any more."),
    ]
    redrive_error: Annotated[str | None, Meta(description="Why it could not be sent back, when last tried.")]
    redriven_at: Instant | None


class MessageAttribute(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message attribute; `value` is text, `binary` base64."""

    type: str
    value: str | None = None
    binary: str | None = None


class WholeDeadLetter(DeadLetterAnswer, frozen=True, kw_only=True, rename="camel"):
    """A dead letter as answered alone: with all it says."""

    attributes: dict[str, MessageAttribute]
    body: Annotated[str, Meta(description="The message as it came; it may be no JSON.")]


ATTRIBUTES = msgspec.json.Decoder(dict[str, MessageAttribute])


def dead_letter_answer(row: asyncpg.Record) -> DeadLetterAnswer:
    """Give the answer that tells of a row of delivery.api_dead_letters."""
    return DeadLetterAnswer(**_told(row))


def whole_dead_letter(row: asyncpg.Record) -> WholeDeadLetter:
    """Give the answer that tells all of it."""
    return WholeDeadLetter(**_told(row), attributes=ATTRIBUTES.decode(row["attributes"]), body=row["body"])


def _told(row: asyncpg.Record) -> dict[str, Any]:
    return {field: row[field] for field in DeadLetterAnswer.__struct_fields__}
