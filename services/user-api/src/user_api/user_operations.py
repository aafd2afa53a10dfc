"""What the routes about users say of themselves in the OpenAPI document."""

from user_api.known_problems import PROBLEMS
from user_api.operation_parts import (
    CURSOR,
    ETAG,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    INVALID_INPUT,
    LIMIT,
    MADE,
    OF_A_BODY,
    OF_A_KEY,
    OF_IF_MATCH,
    OTHER_ID,
    UNKNOWN_USER,
    USER_ID_IN_PATH,
    page_of,
)
from user_api.operations import Answer, Body, Link, Operation, Parameter
from user_api.pages import Items
from user_api.problems import problem_of
from user_api.refusals import EmailTakenError, MediaTypeError
from user_api.routes import PATCH_TYPES
from user_api.user import UserAnswer
from user_api.user_filters import MONTH_DAY_PATTERN
from user_api.user_schemas import (
    ANSWER_EXAMPLE,
    CHANGED_USER,
    EMAIL,
    EXAMPLES,
    NEW_USER,
    PATCH_EXAMPLES,
    TIME_ZONE,
    USER_PATCH,
)

TAG = "users"
EMAIL_TAKEN = PROBLEMS[EmailTakenError]
NO_PATCH = problem_of(MediaTypeError("Accept-Patch", PATCH_TYPES))

_THIS = {"userId": "$response.body#/id"}
_THIS_VERSION = {**_THIS, "If-Match": "$response.header.ETag"}
LINKS = (
    Link("readUser", _THIS),
    Link("replaceUser", _THIS_VERSION),
    Link("patchUser", _THIS_VERSION),
    Link("deleteUser", _THIS_VERSION),
    Link("createOccasion", _THIS),
    Link("listOccasions", _THIS),
    Link("listOccurrences", _THIS),
)
_MONTH_DAY = {"type": "string", "pattern": MONTH_DAY_PATTERN}
FILTERS = (
    Parameter(
        name="timezone",
        place="query",
        description="Only users in this time zone.",
        schema=TIME_ZONE,
        example="Europe/London",
    ),
    Parameter(
        name="email",
        place="query",
        description="Only the user with this e-mail address.",
        schema=EMAIL,
        example="ada@example.com",
    ),
    Parameter(
        name="birthdayFrom",
        place="query",
        description="Only birthdays from this day of the year on, MM-DD; with `birthdayTo`.",
        schema=_MONTH_DAY,
        example="12-20",
    ),
    Parameter(
        name="birthdayTo",
        place="query",
        description="Only birthdays up to this day of the year, MM-DD; with `birthdayFrom`, which may be "
        "later in the year.",
        schema=_MONTH_DAY,
        example="01-06",
    ),
)


def _user(description: str, *, made: bool = False) -> Answer:
    return Answer(
        status=201 if made else 200,
        description=description,
        schema=UserAnswer,
        example=ANSWER_EXAMPLE,
        headers=MADE if made else {"ETag": ETAG},
        links=LINKS,
    )


USER_OPERATIONS = (
    Operation(
        id="createUser",
        method="POST",
        path="/user",
        tag=TAG,
        summary="Create a user",
        description="Their birthday rings every year from then on; if today's has passed, from next year on.",
        parameters=(IDEMPOTENCY_KEY,),
        body=Body(schema=NEW_USER, examples=EXAMPLES),
        answers=(_user("The user, at version 1.", made=True),),
        problems=(*OF_A_BODY, EMAIL_TAKEN, *OF_A_KEY),
    ),
    Operation(
        id="listUsers",
        method="GET",
        path="/user",
        tag=TAG,
        summary="List users",
        description="By id; with a window of birthdays, by the day of the year from `birthdayFrom` on.",
        parameters=(*FILTERS, LIMIT, CURSOR),
        answers=(
            page_of(
                "users",
                Items[UserAnswer],
                ANSWER_EXAMPLE,
                Link("readUser", {"userId": "$response.body#/items/0/id"}),
            ),
        ),
        problems=(INVALID_INPUT,),
    ),
    Operation(
        id="readUser",
        method="GET",
        path="/user/{userId}",
        tag=TAG,
        summary="Read a user",
        description="With `If-None-Match`, only if they changed.",
        parameters=(USER_ID_IN_PATH, IF_NONE_MATCH),
        answers=(
            _user("The user."),
            Answer(status=304, description="They are still at the version you know.", headers={"ETag": ETAG}),
        ),
        problems=(INVALID_INPUT, UNKNOWN_USER),
    ),
    Operation(
        id="replaceUser",
        method="PUT",
        path="/user/{userId}",
        tag=TAG,
        summary="Replace a user",
        description="What is left out gets its default. A change of nothing keeps the version. After one "
        "of time zone or date the pending birthday moves; one that has rung does not ring again.",
        parameters=(USER_ID_IN_PATH, IF_MATCH),
        body=Body(schema=CHANGED_USER, examples=EXAMPLES),
        answers=(_user("The user as they are now."),),
        problems=(*OF_A_BODY, UNKNOWN_USER, EMAIL_TAKEN, OTHER_ID, *OF_IF_MATCH),
    ),
    Operation(
        id="patchUser",
        method="PATCH",
        path="/user/{userId}",
        tag=TAG,
        summary="Change some of a user",
        description="By JSON Merge Patch (RFC 7396): what is left out stays as it is.",
        parameters=(USER_ID_IN_PATH, IF_MATCH),
        body=Body(schema=USER_PATCH, examples=PATCH_EXAMPLES, media_types=PATCH_TYPES),
        answers=(_user("The user as they are now."),),
        problems=(*OF_A_BODY, UNKNOWN_USER, EMAIL_TAKEN, OTHER_ID, *OF_IF_MATCH, NO_PATCH),
    ),
    Operation(
        id="deleteUser",
        method="DELETE",
        path="/user/{userId}",
        tag=TAG,
        summary="Delete a user",
        description="With everything they had: nothing of theirs rings any more, their address is free.",
        parameters=(USER_ID_IN_PATH, IF_MATCH),
        answers=(Answer(status=204, description="The user is gone."),),
        problems=(INVALID_INPUT, UNKNOWN_USER, *OF_IF_MATCH),
    ),
)
