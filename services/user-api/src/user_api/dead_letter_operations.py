"""What the routes about dead letters say of themselves in the OpenAPI document."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from user_api.dead_letter import STATUSES, DeadLetterAnswer, MessageAttribute, WholeDeadLetter
from user_api.delivery_operations import FOR_WHOM
from user_api.known_problems import PROBLEMS
from user_api.operation_parts import (
    CURSOR,
    IDEMPOTENCY_KEY,
    INVALID_INPUT,
    LIMIT,
    OF_A_BODY,
    OF_A_KEY,
    REPLAYED,
    UUID_SCHEMA,
    page_of,
)
from user_api.operations import Answer, Body, Component, Link, Operation, Parameter, Schema
from user_api.pages import Items
from user_api.parse_redrive import MOST_IDS, QUEUE_PATTERN, RedriveAnswer
from user_api.refusals import UnknownDeadLetterError

TAG = "dead letters"
DEAD_LETTER_ID = "93b7f0aa-2c8f-5a54-9c5b-0b5ed2f2a7a1"
QUEUE: Schema = {"type": "string", "pattern": QUEUE_PATTERN}
_EXAMPLE = DeadLetterAnswer(
    id=UUID(DEAD_LETTER_ID),
    queue="webhook-critical",
    source="consumer",
    message_id="5fea7756-0ea4-451a-a703-a558b933e274",
    event_type="NamedayDue",
    reason="unknown event type 'carillon.NamedayDue.v1'",
    received_at=datetime(2026, 6, 20, 9, 1, tzinfo=UTC),
    status="open",
    redrive_error=None,
    redriven_at=None,
)
EXAMPLE = msgspec.to_builtins(_EXAMPLE)
WHOLE_EXAMPLE = msgspec.to_builtins(
    WholeDeadLetter(
        **msgspec.structs.asdict(_EXAMPLE),
        attributes={"eventType": MessageAttribute(type="String", value="NamedayDue")},
        body='{"specversion": "1.0", "type": "carillon.NamedayDue.v1"}',
    )
)
REDRIVE = Component(
    "NewRedrive",
    {
        "type": "object",
        "description": "Which dead letters: either `ids`, or all that are open of a `queue`.",
        "properties": {
            "ids": {
                "type": "array",
                "items": UUID_SCHEMA,
                "minItems": 1,
                "maxItems": MOST_IDS,
                "description": "These; of those, the open ones.",
            },
            "queue": {**QUEUE, "description": "All that are open of this queue."},
        },
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    },
)

DEAD_LETTER_OPERATIONS = (
    Operation(
        id="listDeadLetters",
        method="GET",
        path="/dead-letter",
        tag=TAG,
        summary="List dead letters",
        description=f"Messages that nobody could handle, the newest first, without what they say. {FOR_WHOM}",
        parameters=(
            Parameter(
                name="queue",
                place="query",
                description="Only those of this queue.",
                schema=QUEUE,
                example="webhook-critical",
            ),
            Parameter(
                name="status",
                place="query",
                description="Only those that stand so.",
                schema={"type": "string", "enum": list(STATUSES)},
                example="open",
            ),
            LIMIT,
            CURSOR,
        ),
        answers=(
            page_of(
                "dead letters",
                Items[DeadLetterAnswer],
                EXAMPLE,
                Link("readDeadLetter", {"deadLetterId": "$response.body#/items/0/id"}),
            ),
        ),
        problems=(INVALID_INPUT,),
    ),
    Operation(
        id="readDeadLetter",
        method="GET",
        path="/dead-letter/{deadLetterId}",
        tag=TAG,
        summary="Read a dead letter",
        description=f"With its attributes and its body, as they came. {FOR_WHOM}",
        parameters=(
            Parameter(
                name="deadLetterId",
                place="path",
                description="The dead letter's id.",
                schema=UUID_SCHEMA,
                example=DEAD_LETTER_ID,
            ),
        ),
        answers=(
            Answer(status=200, description="The dead letter.", schema=WholeDeadLetter, example=WHOLE_EXAMPLE),
        ),
        problems=(INVALID_INPUT, PROBLEMS[UnknownDeadLetterError]),
    ),
    Operation(
        id="redriveDeadLetters",
        method="POST",
        path="/dead-letter/redrive",
        tag=TAG,
        summary="Send dead letters back to their queues",
        description="Those that are open, as they came, to the queue that they were meant for: once what "
        "made them fail is mended. At least once, as any message; one that fails again is another dead "
        f"letter. {FOR_WHOM}",
        parameters=(IDEMPOTENCY_KEY,),
        body=Body(
            schema=REDRIVE,
            examples={"some": {"ids": [DEAD_LETTER_ID]}, "a queue's": {"queue": "webhook-critical"}},
        ),
        answers=(
            Answer(
                status=202,
                description="How many are on their way back; `listDeadLetters` tells when they are there.",
                schema=RedriveAnswer,
                example={"count": 1},
                headers={"Idempotent-Replayed": REPLAYED},
            ),
        ),
        problems=(*OF_A_BODY, *OF_A_KEY),
    ),
)
