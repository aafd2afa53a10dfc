import asyncio

import asyncpg
import pytest
from litestar.exceptions import ClientException, InternalServerException, NotFoundException
from user_api.problems import problem_of
from user_api.refusals import (
    BirthdayOccasionError,
    BodyTooLargeError,
    BodyTooSlowError,
    ClientGoneError,
    EmailTakenError,
    FieldProblem,
    ForbiddenError,
    IfMatchMissingError,
    InvalidInputError,
    KeyInUseError,
    KeyReusedError,
    KeysUnavailableError,
    MediaTypeError,
    OccasionEndedError,
    OtherIdError,
    RateLimitedError,
    StaleVersionError,
    TooLongError,
    TooManyOccasionsError,
    UnauthenticatedError,
    UnknownOccasionError,
    UnknownUserError,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidInputError([FieldProblem("email", "is blank")]), 400),
        (MediaTypeError("Accept-Patch", ["application/json"]), 415),
        (ClientGoneError(), 400),
        (ClientException("Invalid host header"), 400),
        (UnauthenticatedError(), 401),
        (ForbiddenError(), 403),
        (NotFoundException(), 404),
        (UnknownUserError(), 404),
        (BodyTooSlowError(), 408),
        (EmailTakenError(), 409),
        (OtherIdError(["id"]), 409),
        (KeyInUseError(), 409),
        (UnknownOccasionError(), 404),
        (BirthdayOccasionError(), 409),
        (OccasionEndedError(), 409),
        (TooManyOccasionsError(), 409),
        (StaleVersionError(2), 412),
        (BodyTooLargeError(), 413),
        (KeyReusedError(), 422),
        (IfMatchMissingError(), 428),
        (RateLimitedError({}), 429),
        (ValueError("a bug"), 500),
        (InternalServerException("a bug"), 500),
        (asyncpg.CheckViolationError("a bug"), 500),
        (asyncpg.UniqueViolationError("another index"), 500),
        (TooLongError(), 503),
        (asyncio.CancelledError(), 503),
        (KeysUnavailableError(), 503),
        (TimeoutError(), 503),
        (ConnectionRefusedError(), 503),
        (asyncpg.ConnectionDoesNotExistError("closed"), 503),
        (asyncpg.AdminShutdownError("restart"), 503),
        (asyncpg.LockNotAvailableError("a lock"), 503),
        (asyncpg.DeadlockDetectedError("another try"), 503),
        (asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"), 503),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
def test_an_error_has_its_status(error: BaseException, status: int) -> None:
    assert problem_of(error).status == status
