"""The user API as a process of its own, which a test may kill and start again."""

import os
import sys
from pathlib import Path

from runtime.encrypt import new_key

from testkit.child_process import ChildProcess
from testkit.ports import free_port


class ApiProcess:
    """`python -m user_api` on a database and a port of its own; `overrides` of its environment win."""

    def __init__(self, database_url: str, topology_file: Path, log: Path, **overrides: str) -> None:
        port = str(free_port())
        self.url = f"http://127.0.0.1:{port}"
        self._process = ChildProcess("user-api", log)
        self._environment = {
            **os.environ,
            "CARILLON_ENV": "local",
            "AUTH": "off",
            "ENCRYPTION_KEYS": new_key("test"),
            "DATABASE_URL": database_url,
            "TOPOLOGY_FILE": str(topology_file),
            "API_PORT": port,
            **overrides,
        }

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it takes requests. Raises StartFailedError."""
        log = self._process.log
        begun = log.stat().st_size if log.exists() else 0
        self._process.start(
            [sys.executable, "-m", "user_api"],
            environment=self._environment,
            ready=lambda _: b"service.ready" in log.read_bytes()[begun:],
            within=30,
        )

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self._process.kill()
