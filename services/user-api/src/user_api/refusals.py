"""Why a request is refused; problems.py says how each is answered."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import asyncpg
from msgspec import Struct

MOST_OCCASIONS = 1000
"""How many occasions that are still to ring a user may have."""


class FieldProblem(Struct, frozen=True):
    """What is wrong with one field; the reason never repeats the value."""

    field: str
    reason: str


class InvalidInputError(Exception):
    """The request cannot be understood, or says what cannot be; every field at fault is named."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(", ".join(f"{problem.field} {problem.reason}" for problem in problems))
        self.problems = tuple(problems)


class BodyTooLargeError(Exception):
    """The body is larger than 1 MiB."""


class MediaTypeError(Exception):
    """The body is of a media type that the address does not take; `header` tells which it takes."""

    def __init__(self, header: str, taken: Sequence[str]) -> None:
        super().__init__(f"takes {' or '.join(taken)}")
        self.header = header
        self.taken = tuple(taken)


class UnknownUserError(Exception):
    """There is no user of that id."""


class UnknownOccasionError(Exception):
    """The user has no occasion of that id."""


class UnknownEventTypeError(Exception):
    """There is no due event type of that name."""


class UnknownEndpointError(Exception):
    """There is no endpoint of that id, or no more."""


class UnknownDeliveryError(Exception):
    """There is no delivery of that id, or no more."""


class UnknownReplayError(Exception):
    """There is no replay of that id, or no more."""


class TestNotMadeError(Exception):
    """No webhook worker has tested the endpoint in time."""


class UnknownDeadLetterError(Exception):
    """There is no dead letter of that id, or no more."""


class NothingToSendError(Exception):
    """A delivery was cancelled, or its endpoint or its words are gone: it cannot be sent again."""


class BirthdayOccasionError(Exception):
    """A birthday is not changed as an occasion: it follows from its user."""


class OccasionEndedError(Exception):
    """An occasion that rings once has rung."""


class TooManyOccasionsError(Exception):
    """The user has as many occasions still to ring as one may have."""


class EmailTakenError(Exception):
    """Another user has that e-mail address."""


class OtherIdError(Exception):
    """The body has another id than the address: a conflict, as RFC 9110 §9.3.4 suggests."""

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = tuple(fields)


class IfMatchMissingError(Exception):
    """A change did not say which version it changes."""


class StaleVersionError(Exception):
    """What was to be changed, `what`, is at another version than the change was made for."""

    def __init__(self, version: int, what: str = "user") -> None:
        super().__init__(f"the {what} is at version {version}")
        self.version = version
        self.what = what


class KeyInUseError(Exception):
    """Another request with the same Idempotency-Key is not finished."""


class KeyReusedError(Exception):
    """The Idempotency-Key was used for another request."""


class RateLimitedError(Exception):
    """The client has asked more than it may; `headers` say when it may ask again."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__("no tokens")
        self.headers = headers


class TooLongError(Exception):
    """The answer took longer than one may."""


class BodyTooSlowError(Exception):
    """The client did not go on sending its body."""


class UnauthenticatedError(Exception):
    """The request names no caller; the reason says what is wrong with its token and never repeats it."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason or "there is no bearer token")
        self.reason = reason


class ForbiddenError(Exception):
    """The caller may not do this, whatever there is to do it to."""


class KeysUnavailableError(Exception):
    """No token can be verified: the issuer's keys were never fetched."""


class ClientGoneError(Exception):
    """The client left before it had sent its request."""


class TooSlowError(Exception):
    """The client sent nothing for too long in the middle of its request."""


class ResultsUnreadError(Exception):
    """The client does not read what it is answered while it sends."""


@contextmanager
def email_taken() -> Iterator[None]:
    """Raise EmailTakenError where PostgreSQL says that the address is in use."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "users_by_email":
            raise
        # From None: PostgreSQL's detail repeats the address.
        raise EmailTakenError from None
