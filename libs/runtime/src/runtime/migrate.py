"""`python -m runtime.migrate`: bring the database at DATABASE_DIRECT_URL to this release, one at a time."""

import asyncio
import os
import sys

import asyncpg
from msgspec import Struct

from runtime.migrations import Migration, load_migrations
from runtime.settings import DatabaseUrl, SettingsError, load_settings
from runtime.statements import Statements
from runtime.stopping import describe

SQL = Statements("runtime")


class Settings(Struct, frozen=True, kw_only=True):
    """A session of its own is needed (advisory lock), so not through PgBouncer."""

    database_direct_url: DatabaseUrl


class DatabaseIsNewerError(Exception):
    """The database has migrations that this release does not know."""


async def migrate(url: str) -> list[str]:
    """Apply what is missing, each migration in a transaction of its own; return the versions applied.

    Runs under an advisory lock, so any number may start at once. Raises DatabaseIsNewerError, before
    anything is changed, when the database is newer than this release.
    """
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.fetchval(SQL["lock_migrations"])
        await connection.execute(SQL["create_migrations_table"])
        applied = {row["version"] for row in await connection.fetch(SQL["applied_migrations"])}
        known = load_migrations()
        if unknown := sorted(applied - {migration.version for migration in known}):
            raise DatabaseIsNewerError(
                f"the database is newer than this release: it has migrations {', '.join(unknown)}, "
                f"this release ends at {known[-1].version}; deploy the release that made them"
            )
        missing = [migration for migration in known if migration.version not in applied]
        for migration in missing:
            await apply_migration(connection, migration)
        return [migration.version for migration in missing]
    finally:
        await connection.close()


async def apply_migration(connection: asyncpg.Connection, migration: Migration) -> None:
    """Apply one migration and record it, or neither."""
    async with connection.transaction():
        await connection.execute(SQL["limit_migration"])
        await connection.execute(migration.text)
        await connection.execute(SQL["record_migration"], migration.version, migration.name)


def main() -> None:
    """Migrate, saying what was done; exit 2 on a bad setting, 1 when it could not be done."""
    try:
        settings = load_settings(Settings, os.environ)
        applied = asyncio.run(migrate(settings.database_direct_url))
    except SettingsError as error:
        sys.stderr.write(f"migrate: {error}\n")
        sys.exit(2)
    except (DatabaseIsNewerError, OSError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
        sys.stderr.write(f"migrate: {describe(error)}\n")
        sys.exit(1)
    sys.stdout.write(f"migrate: applied {', '.join(applied)}\n" if applied else "migrate: nothing to do\n")


if __name__ == "__main__":
    main()
