"""What the routes about due event types say of themselves in the OpenAPI document."""

from typing import Any

import msgspec
from domain.priority import Priority
from messaging.topology import EventType

from user_api.event_types import OCCASION_TYPES, EventTypeAnswer, EventTypeItems, event_type_answer
from user_api.known_problems import PROBLEMS
from user_api.operation_parts import IDEMPOTENCY_KEY, INVALID_INPUT, OF_A_BODY, OF_A_KEY, REPLAYED
from user_api.operations import Answer, Operation, Parameter
from user_api.pause import Pause
from user_api.pause_operations import NOTE, PAUSE, RESUMED
from user_api.refusals import UnknownEventTypeError

UNKNOWN_EVENT_TYPE = PROBLEMS[UnknownEventTypeError]
EVENT_TYPE = Parameter(
    name="name",
    place="path",
    description="The name of a due event type.",
    schema={"type": "string", "enum": list(OCCASION_TYPES)},
    example="BirthdayDue",
)


def _event_type(paused: Pause | None) -> Any:  # noqa: ANN401 - JSON
    birthdays = EventType(
        topic="birthday-due", priority=Priority.CRITICAL, schema_version=1, catch_up_hours=24
    )
    return msgspec.to_builtins(event_type_answer("BirthdayDue", birthdays, paused))


def _changed_event_type(description: str, paused: Pause | None) -> Answer:
    return Answer(
        status=200,
        description=description,
        schema=EventTypeAnswer,
        example=_event_type(paused),
        headers={"Idempotent-Replayed": REPLAYED},
    )


EVENT_TYPE_OPERATIONS = (
    Operation(
        id="listEventTypes",
        method="GET",
        path="/event-type",
        tag="event types",
        summary="List the due event types",
        description="What becomes of an occasion of each type when it falls due. For admins and services.",
        answers=(
            Answer(
                status=200,
                description="Every due event type.",
                schema=EventTypeItems,
                example={"items": [_event_type(None)]},
            ),
        ),
        problems=(INVALID_INPUT,),
    ),
    Operation(
        id="pauseEventType",
        method="POST",
        path="/event-type/{name}/pause",
        tag="event types",
        summary="Pause a whole event type",
        description="Nothing of it rings until it is resumed; one that is paused stays so. For admins and "
        "services.",
        parameters=(EVENT_TYPE, IDEMPOTENCY_KEY),
        body=NOTE,
        answers=(_changed_event_type("The event type, paused.", PAUSE),),
        problems=(*OF_A_BODY, UNKNOWN_EVENT_TYPE, *OF_A_KEY),
    ),
    Operation(
        id="resumeEventType",
        method="POST",
        path="/event-type/{name}/resume",
        tag="event types",
        summary="Resume an event type",
        description=f"{RESUMED} For admins and services.",
        parameters=(EVENT_TYPE, IDEMPOTENCY_KEY),
        answers=(_changed_event_type("The event type, not paused.", None),),
        problems=(INVALID_INPUT, UNKNOWN_EVENT_TYPE, *OF_A_KEY),
    ),
)
