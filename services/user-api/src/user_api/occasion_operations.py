"""What the routes about occasions say of themselves in the OpenAPI document."""

from user_api.known_problems import PROBLEMS
from user_api.occasion_answer import OccasionAnswer
from user_api.occasion_schemas import ANSWER_EXAMPLE, CHANGED_OCCASION, EXAMPLES, NEW_OCCASION
from user_api.operation_parts import (
    CURSOR,
    ETAG,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    INVALID_INPUT,
    LIMIT,
    MADE,
    OCCASION_ID_IN_PATH,
    OF_A_BODY,
    OF_A_KEY,
    OF_IF_MATCH,
    OTHER_ID,
    UNCHANGED,
    UNKNOWN_USER,
    USER_ID_IN_PATH,
    page_of,
)
from user_api.operations import Answer, Body, Link, Operation
from user_api.pages import Items
from user_api.refusals import (
    BirthdayOccasionError,
    OccasionEndedError,
    TooManyOccasionsError,
    UnknownOccasionError,
)

TAG = "occasions"
OF_AN_OCCASION = (UNKNOWN_USER, PROBLEMS[UnknownOccasionError])
BIRTHDAY = PROBLEMS[BirthdayOccasionError]

_LIST = "/user/{userId}/occasion"
_ONE = "/user/{userId}/occasion/{occasionId}"
_THIS = {"userId": "$response.body#/userId", "occasionId": "$response.body#/id"}
_THIS_VERSION = {**_THIS, "If-Match": "$response.header.ETag"}
LINKS = (
    Link("readOccasion", _THIS),
    Link("replaceOccasion", _THIS_VERSION),
    Link("deleteOccasion", _THIS_VERSION),
    Link("pauseOccasion", _THIS),
    Link("resumeOccasion", _THIS),
    Link("listOccurrences", {"userId": _THIS["userId"]}),
)


def _occasion(description: str, *, made: bool = False) -> Answer:
    return Answer(
        status=201 if made else 200,
        description=description,
        schema=OccasionAnswer,
        example=ANSWER_EXAMPLE,
        headers=MADE if made else {"ETag": ETAG},
        links=LINKS,
    )


OCCASION_OPERATIONS = (
    Operation(
        id="createOccasion",
        method="POST",
        path=_LIST,
        tag=TAG,
        summary="Create an occasion",
        description="An anniversary, a reminder or a notification. The birthday comes with its user.",
        parameters=(USER_ID_IN_PATH, IDEMPOTENCY_KEY),
        body=Body(schema=NEW_OCCASION, examples=EXAMPLES),
        answers=(_occasion("The occasion, at version 1.", made=True),),
        problems=(*OF_A_BODY, UNKNOWN_USER, PROBLEMS[TooManyOccasionsError], *OF_A_KEY),
    ),
    Operation(
        id="listOccasions",
        method="GET",
        path=_LIST,
        tag=TAG,
        summary="List a user's occasions",
        description="The birthday, which changes only with its user, and then the others, the oldest first.",
        parameters=(USER_ID_IN_PATH, LIMIT, CURSOR),
        answers=(page_of("occasions", Items[OccasionAnswer], ANSWER_EXAMPLE),),
        problems=(INVALID_INPUT, UNKNOWN_USER),
    ),
    Operation(
        id="readOccasion",
        method="GET",
        path=_ONE,
        tag=TAG,
        summary="Read an occasion",
        description="With `If-None-Match`, only if it changed.",
        parameters=(USER_ID_IN_PATH, OCCASION_ID_IN_PATH, IF_NONE_MATCH),
        answers=(
            _occasion("The occasion."),
            UNCHANGED,
        ),
        problems=(INVALID_INPUT, *OF_AN_OCCASION),
    ),
    Operation(
        id="replaceOccasion",
        method="PUT",
        path=_ONE,
        tag=TAG,
        summary="Replace an occasion",
        description="What is left out gets its default. One that rang for the last time stays as it was.",
        parameters=(USER_ID_IN_PATH, OCCASION_ID_IN_PATH, IF_MATCH),
        body=Body(schema=CHANGED_OCCASION, examples=EXAMPLES),
        answers=(_occasion("The occasion as it is now."),),
        problems=(
            *OF_A_BODY,
            *OF_AN_OCCASION,
            BIRTHDAY,
            PROBLEMS[OccasionEndedError],
            PROBLEMS[TooManyOccasionsError],
            OTHER_ID,
            *OF_IF_MATCH,
        ),
    ),
    Operation(
        id="deleteOccasion",
        method="DELETE",
        path=_ONE,
        tag=TAG,
        summary="Delete an occasion",
        description="It rings no more.",
        parameters=(USER_ID_IN_PATH, OCCASION_ID_IN_PATH, IF_MATCH),
        answers=(Answer(status=204, description="The occasion is gone."),),
        problems=(INVALID_INPUT, *OF_AN_OCCASION, BIRTHDAY, *OF_IF_MATCH),
    ),
)
