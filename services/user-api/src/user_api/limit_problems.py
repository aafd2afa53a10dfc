"""What a request is told that goes beyond a limit, or repeats another."""

from collections.abc import Mapping

from user_api.problem import RETRY_AFTER, Problem
from user_api.refusals import (
    BodyTooSlowError,
    FieldProblem,
    KeyInUseError,
    KeyReusedError,
    RateLimitedError,
    TooLongError,
)

LIMIT_PROBLEMS: Mapping[type[BaseException], Problem] = {
    KeyInUseError: Problem(
        kind="idempotency-key-in-use",
        title="The request is under way",
        status=409,
        detail="A request with this Idempotency-Key is not finished. Repeat it later to have its answer.",
        errors=(FieldProblem("Idempotency-Key", "is in use"),),
        headers=RETRY_AFTER,
    ),
    KeyReusedError: Problem(
        kind="idempotency-key-reused",
        title="The Idempotency-Key was used for another request",
        status=422,
        detail="A key is for one request: the same address and body. Send a new key with a new request.",
        errors=(FieldProblem("Idempotency-Key", "was used for another request"),),
    ),
    BodyTooSlowError: Problem(
        kind="body-too-slow",
        title="The body did not come",
        status=408,
        detail="The rest of the body did not come in time.",
        # The rest may still come: it must not be read as another request.
        headers={"Connection": "close"},
    ),
    TooLongError: Problem(
        kind="unavailable",
        title="Not available now",
        status=503,
        detail="The answer took too long. Try again.",
        headers=RETRY_AFTER,
    ),
}


def rate_limited(error: RateLimitedError) -> Problem:
    """Tell when to go on."""
    return Problem(
        kind="rate-limited",
        title="Too many requests",
        status=429,
        detail="This client asks more than it may. Retry-After says when to go on.",
        headers=error.headers,
    )
