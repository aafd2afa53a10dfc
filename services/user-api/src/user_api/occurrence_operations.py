"""What the route about occurrences says of itself in the OpenAPI document."""

from user_api.occurrence_answer import OccurrenceAnswer, UpcomingItems
from user_api.occurrence_routes import DEFAULT_NEXT, MOST_NEXT
from user_api.operation_parts import (
    CURSOR,
    INVALID_INPUT,
    LIMIT,
    LINK,
    OCCASION_ID,
    UNKNOWN_USER,
    USER_ID_IN_PATH,
)
from user_api.operations import Answer, Header, Operation, Parameter
from user_api.pages import Items
from user_api.parse_occasion_fields import INSTANT_PATTERN

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
                            "status": "PENDING",
                        }
                    ]
                },
                headers={"Link": Header(f"{LINK.description} With `since`.", LINK.schema, always=False)},
            ),
        ),
        problems=(INVALID_INPUT, UNKNOWN_USER),
    ),
)
