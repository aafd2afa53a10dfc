"""The migrations: numbered SQL in dbmate's format, forward-only, safe while the old version runs."""

from importlib.resources import files

from msgspec import Struct

MARK = "-- migrate:up"


class Migration(Struct, frozen=True):
    """One numbered file: `0001_roles.sql` has version `0001`."""

    version: str
    name: str
    text: str


def load_migrations() -> list[Migration]:
    """Return this release's migrations in order."""
    loaded = []
    for file in files("runtime.migrations").iterdir():
        if file.name.endswith(".sql"):
            version, _, name = file.name.removesuffix(".sql").partition("_")
            text = file.read_text(encoding="utf-8").split(MARK, 1)[1]
            loaded.append(Migration(version, name, text))
    return sorted(loaded, key=lambda migration: migration.version)


def newest_migration() -> str:
    """Return the version of this release's newest migration."""
    return load_migrations()[-1].version
