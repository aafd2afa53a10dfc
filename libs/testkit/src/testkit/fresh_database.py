"""A database a test: cloned from a migrated template in milliseconds, dropped afterwards."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

import asyncpg

from testkit.embedded_postgres import EmbeddedPostgres

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection


class FreshDatabase:
    """A clone of `template`; `url(role)` is what a service gets as DATABASE_URL."""

    def __init__(self, server: EmbeddedPostgres, name: str, *, template: str) -> None:
        self.server = server
        self.name = name
        self._template = template
        self._connections: list[Connection] = []

    @property
    def admin_url(self) -> str:
        """The superuser's URL."""
        return self.url("postgres")

    def url(self, role: str) -> str:
        """Return the URL under which `role` reaches this database, for instance `carillon_scheduler`."""
        return self.server.url(role, self.name)

    async def connect(self, role: str = "postgres") -> Connection:
        """Open a connection as `role`; closed with the database."""
        connection: Connection = await asyncpg.connect(self.url(role))
        self._connections.append(connection)
        return connection

    async def __aenter__(self) -> Self:
        """Clone the template."""
        self.server.create_database(self.name, template=self._template)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what `connect` opened, and drop the database."""
        for connection in self._connections:
            connection.terminate()
        self.server.drop_database(self.name)
