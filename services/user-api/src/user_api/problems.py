"""Every error becomes a problem document, by this one map and nowhere else."""

import asyncio
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from runtime.database import is_passing

from user_api.entity_tags import entity_tag
from user_api.limit_problems import LIMIT_PROBLEMS, rate_limited
from user_api.methods import head_too
from user_api.problem import Problem, answer_problem
from user_api.refusals import (
    MOST_OCCASIONS,
    BirthdayOccasionError,
    BodyTooLargeError,
    ClientGoneError,
    EmailTakenError,
    FieldProblem,
    ForbiddenError,
    IfMatchMissingError,
    InvalidInputError,
    KeysUnavailableError,
    MediaTypeError,
    OccasionEndedError,
    OtherIdError,
    RateLimitedError,
    ResultsUnreadError,
    StaleVersionError,
    TooManyOccasionsError,
    TooSlowError,
    UnauthenticatedError,
    UnknownOccasionError,
    UnknownUserError,
)

log = structlog.get_logger()

RETRY_AFTER = {"Retry-After": "2"}  # seconds
FRAMES_LOGGED = 8

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


def problem_of(error: BaseException) -> Problem:  # noqa: PLR0911 (a return for each kind)
    """Translate an exception."""
    match error:
        case InvalidInputError():
            return Problem(
                kind="invalid-input",
                title="The request is not valid",
                status=400,
                detail=f"To put right: {', '.join(problem.field for problem in error.problems)}.",
                errors=error.problems,
            )
        case StaleVersionError():
            return Problem(
                kind="stale-version",
                title=f"The {error.what} was changed meanwhile",
                status=412,
                detail=f"The {error.what} is at version {error.version}. Read it again, repeat the change.",
                errors=(FieldProblem("If-Match", f"is not the version that the {error.what} is at"),),
                headers={"ETag": entity_tag(error.version)},
            )
        case OtherIdError():
            return Problem(
                kind="other-id",
                title="The ids differ",
                status=409,
                detail="The body has another id than the address.",
                errors=tuple(
                    FieldProblem(field, "is another id than the address has") for field in error.fields
                ),
            )
        case MediaTypeError():
            return Problem(
                kind="unsupported-media-type",
                title="The body is of another media type",
                status=415,
                detail=f"Send it with Content-Type: {' or '.join(error.taken)}.",
                errors=(FieldProblem("Content-Type", f"is not {' or '.join(error.taken)}"),),
                headers={error.header: ", ".join(error.taken)},
            )
        case RateLimitedError():
            return rate_limited(error)
        case UnauthenticatedError():
            return unauthenticated(error.reason)
        # What Litestar itself refuses: no such path, no such method, a bad Host.
        case HTTPException() if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            status = HTTPStatus(error.status_code)
            return Problem(
                kind=status.phrase.lower().replace(" ", "-"),
                title=status.phrase,
                status=status,
                detail=error.detail,
                headers={
                    name: head_too(value) if name.lower() == "allow" else value
                    for name, value in (error.headers or {}).items()
                },
            )
        case _:
            return PROBLEMS.get(type(error)) or (UNAVAILABLE if is_passing(error) else UNHANDLED)


def unauthenticated(reason: str | None) -> Problem:
    """Give the problem of a request without a good token (RFC 6750 §3: no error code where none was sent)."""
    challenge = f'error="invalid_token", error_description="{reason}"' if reason else 'realm="carillon"'
    return Problem(
        kind="unauthenticated",
        title="A valid token is required",
        status=401,
        detail=f"{reason or 'Send a bearer token in the Authorization header'}.",
        headers={"WWW-Authenticate": f"Bearer {challenge}"},
    )


def translate(error: BaseException) -> Problem:
    """Give the problem of an exception, and log it where the fault is ours."""
    problem = problem_of(error)
    if problem is UNHANDLED:
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES_LOGGED:]
        log.error(
            "request.failed",
            error=type(error).__name__,
            # No detail and no local variables: PostgreSQL's detail repeats the row, and so names.
            reason=str(error.args[0]) if error.args else "",
            at=[f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
        )
    elif problem is UNAVAILABLE:
        log.warning("request.put_off", error=type(error).__name__)
    return problem


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer an exception that a route raised, or Litestar before there was one."""
    return answer_problem(request, translate(error))
