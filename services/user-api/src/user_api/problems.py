"""Every error becomes a problem document, by this one map and nowhere else."""

import traceback
from http import HTTPStatus
from pathlib import Path
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from runtime.database import is_passing

from user_api.entity_tags import entity_tag
from user_api.known_problems import PROBLEMS, UNAVAILABLE, UNHANDLED
from user_api.limit_problems import rate_limited
from user_api.methods import head_too
from user_api.problem import Problem, answer_problem
from user_api.refusals import (
    FieldProblem,
    InvalidInputError,
    MediaTypeError,
    OtherIdError,
    RateLimitedError,
    StaleVersionError,
    UnauthenticatedError,
)

log = structlog.get_logger()

FRAMES_LOGGED = 8


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
