"""Who of an import's users is known: by the client's key, else by e-mail address."""

from datetime import datetime
from uuid import UUID

import asyncpg

from user_api.import_line import LineResult, Wanted, invalid
from user_api.parse_fields import FUTURE_BIRTH, is_future_birth
from user_api.refusals import FieldProblem

ANOTHERS_EMAIL = FieldProblem("email", "is taken by another user, of another key")


class KnownUsers:
    """Whom a batch has made so far; the database's rows, passed with each line, tell of all before it."""

    def __init__(self) -> None:
        self._by_key: dict[str, UUID] = {}
        # Folded by the database, whose unique index decides which addresses are one.
        self._by_email: dict[str, tuple[UUID, str | None]] = {}

    def add(self, user_id: UUID, key: str | None, folded_email: str | None) -> None:
        """Remember a new user."""
        if key is not None:
            self._by_key[key] = user_id
        if folded_email is not None:
            self._by_email[folded_email] = user_id, key

    def recognise(self, wanted: Wanted, row: asyncpg.Record, at: datetime) -> LineResult | None:
        """Tell what becomes of a line whose user is known or cannot be; None when they are to be created.

        An address that is known under another key is another person's: neither is taken for the other.
        """
        if is_future_birth(wanted.details.date_of_birth, wanted.details.timezone, at):
            return invalid(wanted.line, [FUTURE_BIRTH])
        found: UUID | None = row["id_by_key"]
        if found is None and wanted.key is not None:
            found = self._by_key.get(wanted.key)
        if found is None and row["email"] is not None:
            found, key = self._by_email.get(row["email"], (row["id_by_email"], row["key_by_email"]))
            if None not in (wanted.key, key):
                return invalid(wanted.line, [ANOTHERS_EMAIL])
        return LineResult(line=wanted.line, status="exists", id=found) if found else None
