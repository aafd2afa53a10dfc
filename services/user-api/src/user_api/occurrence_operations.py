"""What the route about occurrences says of itself in the OpenAPI document."""

from user_api.occurrence_answer import OccurrenceAnswer, UpcomingItems
from user_api.occurrence_routes import DEFAULT_NEXT, MOST_NEXT
from user_api.operation_parts import (
    CURSOR,
    IDEMPOTENCY_KEY,
    INVALID_INPUT,
    LIMIT,
    LINK,
    OCCASION_ID,
    OF_A_BODY,
    OF_A_KEY,
    OTHER_ID,
    REPLAYED,
    UNKNOWN_USER,
    USER_ID_IN_PATH,
)
from user_api.operations import Answer, Body, Header, Operation, Parameter
from user_api.pages import Items
from user_api.parse_occasion_fields import INSTANT_PATTERN
from user_api.preview_change import MoveItems
from user_api.problems import problem_of
from user_api.refusals import MediaTypeError
from user_api.routes import PATCH_TYPES
from user_api.user_schemas import PATCH_EXAMPLES, USER_PATCH

NO_PATCH = problem_of(MediaTypeError("Accept-Post", PATCH_TYPES))
MOVE = {
    "occasionId": OCCASION_ID,
    "eventType": "ANNIVERSARY",
    "before": {
        "localDate": "2030-06-20",
        "localTime": "08:00",
        "timezone": "Europe/London",
        "dueAt": "2030-06-20T07:00:00Z",
    },
    "after": {
        "localDate": "2030-06-20",
        "localTime": "08:00",
        "timezone": "Asia/Tokyo",
        "dueAt": "2030-06-19T23:00:00Z",
    },
}

OCCURRENCE_OPERATIONS = (
    Operation(
        id="listOccurrences",
        method="GET",
        path="/user/{userId}/occurrence",
        tag="occurrences",
        summary="Preview what will ring, or page through what did",
        description="The next dates of all of a user's occasions, as they are planned; or, with `since`, "
        "real occurrences due from then on, in pages. `next` and `since` exclude each other.",
        parameters=(
            USER_ID_IN_PATH,
            Parameter(
                name="next",
                place="query",
                description=f"How many dates to preview; {DEFAULT_NEXT} unless given.",
                schema={"type": "integer", "minimum": 1, "maximum": MOST_NEXT},
                example=DEFAULT_NEXT,
            ),
            Parameter(
                name="since",
                place="query",
                description="Real occurrences due from this instant on.",
                schema={"type": "string", "format": "date-time", "pattern": INSTANT_PATTERN},
            ),
            LIMIT,
            CURSOR,
        ),
        answers=(
            Answer(
                status=200,
                description="The dates to come, the next one first; or a page of real occurrences.",
                schema={"anyOf": [UpcomingItems, Items[OccurrenceAnswer]]},
                example={
                    "items": [
                        {
                            "occasionId": OCCASION_ID,
                            "eventType": "ANNIVERSARY",
                            "localDate": "2030-06-20",
                            "localTime": "08:00",
                            "timezone": "Europe/London",
                            "dueAt": "2030-06-20T07:00:00Z",
                            "jitterSeconds": 0,
                            "status": "PENDING",
                        }
                    ]
                },
                headers={"Link": Header(f"{LINK.description} With `since`.", LINK.schema, always=False)},
            ),
        ),
        problems=(INVALID_INPUT, UNKNOWN_USER),
    ),
    Operation(
        id="previewChange",
        method="POST",
        path="/user/{userId}/change-preview",
        tag="occurrences",
        summary="Preview what a change would move",
        description="By a merge patch as `patchUser` takes it, which changes nothing here: each occasion "
        "whose next date would move, with that date before and after. One whose instant has passed would "
        "ring at once.",
        parameters=(USER_ID_IN_PATH, IDEMPOTENCY_KEY),
        body=Body(schema=USER_PATCH, examples=PATCH_EXAMPLES, media_types=PATCH_TYPES),
        answers=(
            Answer(
                status=200,
                description="What would move, in order of when it would ring.",
                schema=MoveItems,
                example={"items": [MOVE]},
                headers={"Idempotent-Replayed": REPLAYED},
            ),
        ),
        problems=(*OF_A_BODY, UNKNOWN_USER, OTHER_ID, *OF_A_KEY, NO_PATCH),
    ),
)
