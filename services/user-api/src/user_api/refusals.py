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


class BirthdayOccasionError(Exception):
    """A birthday is not changed as an occasion: it follows from its user."""


class OccasionEndedError(Exception):
    """An occasion that rings once has rung."""


class TooManyOccasionsError(Exception):
    """The user has as many occasions still to ring as one may have."""


class EmailTakenError(Exception):
    """Another user has that e-mail address."""


class IfMatchMissingError(Exception):
    """A change did not say which version it changes."""


class StaleVersionError(Exception):
    """What was to be changed, `what`, is at another version than the change was made for."""

    def __init__(self, version: int, what: str = "user") -> None:
        super().__init__(f"the {what} is at version {version}")
        self.version = version
        self.what = what


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
