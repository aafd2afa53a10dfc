"""What the routes that pause and resume an occasion say of themselves in the OpenAPI document."""

from datetime import UTC, datetime

import msgspec

from user_api.known_problems import PROBLEMS
from user_api.occasion_answer import OccasionAnswer
from user_api.occasion_schemas import ANSWER_EXAMPLE
from user_api.operation_parts import (
    ETAG,
    IDEMPOTENCY_KEY,
    INVALID_INPUT,
    OCCASION_ID_IN_PATH,
    OF_A_BODY,
    OF_A_KEY,
    REPLAYED,
    UNKNOWN_USER,
    USER_ID_IN_PATH,
)
from user_api.operations import Answer, Body, Component, Operation
from user_api.parse_fields import LINE_PATTERN
from user_api.parse_note import MOST_NOTE
from user_api.pause import Pause
from user_api.refusals import UnknownOccasionError

OF_AN_OCCASION = (UNKNOWN_USER, PROBLEMS[UnknownOccasionError])
RESUMED = "What was held back is sent late where its catch-up window still allows it, and expires where not."

NOTE = Body(
    schema=Component(
        "NewPause",
        {
            "type": "object",
            "description": "Why; a body may be left out.",
            "properties": {
                "note": {
                    "type": ["string", "null"],
                    "description": "For whoever looks later. Outer spaces are cut.",
                    "minLength": 1,
                    "maxLength": MOST_NOTE,
                    "pattern": LINE_PATTERN,
                }
            },
            "additionalProperties": False,
        },
    ),
    examples={"with a note": {"note": "Moved house"}, "without": {}},
    required=False,
)
PAUSE = Pause(note="Moved house", since=datetime(2026, 3, 1, 12, tzinfo=UTC), by="support-7")


def _occasion(description: str, paused: Pause | None) -> Answer:
    return Answer(
        status=200,
        description=description,
        schema=OccasionAnswer,
        example=ANSWER_EXAMPLE | {"paused": msgspec.to_builtins(paused)},
        headers={"ETag": ETAG, "Idempotent-Replayed": REPLAYED},
    )


PAUSE_OPERATIONS = (
    Operation(
        id="pauseOccasion",
        method="POST",
        path="/user/{userId}/occasion/{occasionId}/pause",
        tag="occasions",
        summary="Pause an occasion",
        description="A birthday too. Nothing of it rings until it is resumed; one that is paused stays so.",
        parameters=(USER_ID_IN_PATH, OCCASION_ID_IN_PATH, IDEMPOTENCY_KEY),
        body=NOTE,
        answers=(_occasion("The occasion, paused.", PAUSE),),
        problems=(*OF_A_BODY, *OF_AN_OCCASION, *OF_A_KEY),
    ),
    Operation(
        id="resumeOccasion",
        method="POST",
        path="/user/{userId}/occasion/{occasionId}/resume",
        tag="occasions",
        summary="Resume an occasion",
        description=RESUMED,
        parameters=(USER_ID_IN_PATH, OCCASION_ID_IN_PATH, IDEMPOTENCY_KEY),
        answers=(_occasion("The occasion, not paused.", None),),
        problems=(INVALID_INPUT, *OF_AN_OCCASION, *OF_A_KEY),
    ),
)
