"""What the routes about users say of themselves in the OpenAPI document."""

from user_api.operation_parts import (
    ETAG,
    IF_MATCH,
    IF_NONE_MATCH,
    INVALID_INPUT,
    LOCATION,
    OF_A_BODY,
    OF_IF_MATCH,
    OTHER_ID,
    UNKNOWN_USER,
    USER_ID_IN_PATH,
)
from user_api.operations import Answer, Body, Link, Operation
from user_api.problems import PROBLEMS
from user_api.refusals import EmailTakenError
from user_api.user import UserAnswer
from user_api.user_schemas import ANSWER_EXAMPLE, CHANGED_USER, EXAMPLES, NEW_USER

TAG = "users"
EMAIL_TAKEN = PROBLEMS[EmailTakenError]

_THIS = {"userId": "$response.body#/id"}
_THIS_VERSION = {**_THIS, "If-Match": "$response.header.ETag"}
LINKS = (
    Link("readUser", _THIS),
    Link("replaceUser", _THIS_VERSION),
    Link("deleteUser", _THIS_VERSION),
)


def _user(description: str, *, made: bool = False) -> Answer:
    return Answer(
        status=201 if made else 200,
        description=description,
        schema=UserAnswer,
        example=ANSWER_EXAMPLE,
        headers={"ETag": ETAG, "Location": LOCATION} if made else {"ETag": ETAG},
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
        body=Body(schema=NEW_USER, examples=EXAMPLES),
        answers=(_user("The user, at version 1.", made=True),),
        problems=(*OF_A_BODY, EMAIL_TAKEN),
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
