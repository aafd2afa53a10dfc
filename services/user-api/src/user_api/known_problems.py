"""The problems that are always the same, by the exception that each answers."""

import asyncio
from collections.abc import Mapping

from user_api.limit_problems import LIMIT_PROBLEMS
from user_api.problem import RETRY_AFTER, Problem
from user_api.refusals import (
    MOST_OCCASIONS,
    BirthdayOccasionError,
    BodyTooLargeError,
    ClientGoneError,
    EmailTakenError,
    FieldProblem,
    ForbiddenError,
    IfMatchMissingError,
    KeysUnavailableError,
    NothingToSendError,
    OccasionEndedError,
    ResultsUnreadError,
    TestNotMadeError,
    TooManyOccasionsError,
    TooSlowError,
    UnknownDeadLetterError,
    UnknownDeliveryError,
    UnknownEndpointError,
    UnknownEventTypeError,
    UnknownOccasionError,
    UnknownReplayError,
    UnknownUserError,
)

PROBLEMS: Mapping[type[BaseException], Problem] = {
    ClientGoneError: Problem(
        kind="incomplete-request",
        title="The request is not complete",
        status=400,
        detail="The connection ended before the body did.",
    ),
    ForbiddenError: Problem(
        kind="forbidden",
        title="Not allowed",
        status=403,
        detail="Your token does not allow this.",
        headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
    ),
    UnknownUserError: Problem(
        kind="unknown-user", title="No such user", status=404, detail="There is no user of this id."
    ),
    UnknownOccasionError: Problem(
        kind="unknown-occasion",
        title="No such occasion",
        status=404,
        detail="This user has no occasion of this id.",
    ),
    UnknownEventTypeError: Problem(
        kind="unknown-event-type",
        title="No such event type",
        status=404,
        detail="There is no due event type of this name.",
    ),
    UnknownEndpointError: Problem(
        kind="unknown-endpoint",
        title="No such endpoint",
        status=404,
        detail="There is no endpoint of this id.",
    ),
    UnknownDeliveryError: Problem(
        kind="unknown-delivery",
        title="No such delivery",
        status=404,
        detail="There is no delivery of this id, or it is no longer kept.",
    ),
    UnknownReplayError: Problem(
        kind="unknown-replay",
        title="No such replay",
        status=404,
        detail="There is no replay of this id, or it is no longer kept.",
    ),
    UnknownDeadLetterError: Problem(
        kind="unknown-dead-letter",
        title="No such dead letter",
        status=404,
        detail="There is no dead letter of this id, or it is no longer kept.",
    ),
    NothingToSendError: Problem(
        kind="nothing-to-send",
        title="The delivery cannot be sent again",
        status=409,
        detail="It was cancelled, its endpoint was removed, or what it said was erased with its user.",
    ),
    BirthdayOccasionError: Problem(
        kind="birthday-follows-user",
        title="A birthday follows from its user",
        status=409,
        detail="Change dateOfBirth, sendAtLocal or leapDayPolicy of the user; it goes when they are deleted.",
    ),
    OccasionEndedError: Problem(
        kind="occasion-ended",
        title="The occasion has ended",
        status=409,
        detail="It rang once and stays as it was. Create another one.",
    ),
    TooManyOccasionsError: Problem(
        kind="too-many-occasions",
        title="The user has too many occasions",
        status=409,
        detail=f"A user may have {MOST_OCCASIONS} occasions that are still to ring. Delete some first.",
    ),
    EmailTakenError: Problem(
        kind="email-taken",
        title="The e-mail address is taken",
        status=409,
        detail="Another user has this e-mail address.",
        errors=(FieldProblem("email", "is taken by another user"),),
    ),
    BodyTooLargeError: Problem(
        kind="body-too-large",
        title="The body is too large",
        status=413,
        detail="A body may have 1 MiB.",
        errors=(FieldProblem("body", "is larger than 1 MiB"),),
    ),
    IfMatchMissingError: Problem(
        kind="if-match-missing",
        title="If-Match is required",
        status=428,
        detail="Send If-Match with the ETag of the version that you change, so that no change is lost.",
        errors=(FieldProblem("If-Match", "is missing"),),
    ),
    TooSlowError: Problem(
        kind="request-timeout",
        title="The request did not go on",
        status=408,
        detail="Nothing was received for 60 s.",
    ),
    ResultsUnreadError: Problem(
        kind="results-unread",
        title="The results are not read",
        status=408,
        detail="Read the results while sending, ask for ?results=invalid, or send fewer lines at a time.",
    ),
    **LIMIT_PROBLEMS,
    KeysUnavailableError: Problem(
        kind="unavailable",
        title="Not available now",
        status=503,
        detail="Tokens cannot be verified now. Try again.",
        headers=RETRY_AFTER,
    ),
    TestNotMadeError: Problem(
        kind="test-not-made",
        title="The endpoint was not tested",
        status=503,
        detail="No webhook worker has made the test in time. Try again.",
        headers=RETRY_AFTER,
    ),
    asyncio.CancelledError: Problem(
        kind="unavailable",
        title="Not available now",
        status=503,
        detail="The service is stopping. Try again.",
        headers=RETRY_AFTER,
    ),
}
UNAVAILABLE = Problem(
    kind="unavailable",
    title="Not available now",
    status=503,
    detail="The database does not answer, or not in time. Try again.",
    headers=RETRY_AFTER,
)
UNHANDLED = Problem(
    kind="internal-error",
    title="Something went wrong here",
    status=500,
    detail="The error is logged under the requestId.",
)
