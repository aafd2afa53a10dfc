"""Debian's PgBouncer in transaction mode before a PostgreSQL that trusts us, as root or a user."""

import shutil
import socket
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from testkit.child_process import ChildProcess, StartFailedError
from testkit.die_with_parent import dies_with_parent
from testkit.ports import LOOPBACK, free_port
from testkit.postgres_binaries import account_to_run_as, clean_environment

SETTINGS = """\
[databases]
* = host={host} port={postgres_port}
[pgbouncer]
pool_mode = transaction
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
default_pool_size = {pool_size}
max_client_conn = 1000
server_lifetime = 3600
server_idle_timeout = 600
"""
START_SECONDS = 10.0


class PgBouncer:
    """Gives each transaction one of `pool_size` sessions a role and database, whoever asked before.

    Each of `roles` may log in. PostgreSQL need not run yet. Raises StartFailedError with its last lines.
    """

    def __init__(self, *, postgres_port: int, roles: list[str], pool_size: int) -> None:
        self.port = free_port()
        self._postgres_port = postgres_port
        self._roles = roles
        self._pool_size = pool_size
        # It refuses to run as root; whom it runs as then may not be able to enter a test's own folder.
        self._account = account_to_run_as()
        self._folder = Path(tempfile.mkdtemp(prefix="carillon-pgbouncer-"))
        self._child = ChildProcess("PgBouncer", self._folder / "pgbouncer.log")

    def url(self, role: str, database: str) -> str:
        """Return the URL under which `role` reaches `database`."""
        return f"postgresql://{role}@{LOOPBACK}:{self.port}/{database}"

    def __enter__(self) -> Self:
        """Start it, and wait until it listens."""
        program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
        if program is None:
            raise StartFailedError("PgBouncer is not installed; tests/judges/run installs it")
        users = self._folder / "users.txt"
        users.write_text("".join(f'"{role}" ""\n' for role in self._roles))
        settings = self._folder / "pgbouncer.ini"
        settings.write_text(
            SETTINGS.format(
                host=LOOPBACK,
                port=self.port,
                postgres_port=self._postgres_port,
                users=users,
                pool_size=self._pool_size,
            )
        )
        self._folder.chmod(0o755)
        self._child.start(
            dies_with_parent([program, str(settings)], account=self._account),
            environment=clean_environment(),
            ready=lambda _: self._listens(),
            within=START_SECONDS,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it: connections are cut."""
        self._child.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _listens(self) -> bool:
        with socket.socket() as trying:
            return trying.connect_ex((LOOPBACK, self.port)) == 0
