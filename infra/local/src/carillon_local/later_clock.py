"""Data of a later clock: to an earlier one all of it lies in the future, and what rang has yet to come."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from runtime.settings import SettingsError
from runtime.statements import Statements

SQL = Statements("carillon_local")

# A machine's clock may be set back a little.
TOLERANCE = timedelta(minutes=1)


async def refuse_later_data(database_url: str, local_dir: Path, *, now: datetime) -> None:
    """Raise SettingsError if a scheduler was seen here at an instant after `now` by the business clock."""
    connection = await asyncpg.connect(database_url)
    try:
        seen_at: datetime | None = await connection.fetchval(SQL["last_seen_at"])
    finally:
        await connection.close()
    if seen_at is not None and seen_at > now + TOLERANCE:
        last = seen_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        raise SettingsError(
            f"CLOCK is earlier than the data in {local_dir}: "
            f"start with CLOCK={last} or later, or remove that folder"
        )
