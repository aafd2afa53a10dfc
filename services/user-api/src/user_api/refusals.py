"""Why a request is refused; problems.py says how each is answered."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import asyncpg
from msgspec import Struct


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


class UnknownUserError(Exception):
    """There is no user of that id."""


class EmailTakenError(Exception):
    """Another user has that e-mail address."""


class IfMatchMissingError(Exception):
    """A change did not say which version it changes."""


class StaleVersionError(Exception):
    """The user is at another version than the change was made for."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the user is at version {version}")
        self.version = version


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
