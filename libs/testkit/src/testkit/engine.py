"""The SNS/SQS engine: an endpoint and the command that starts it, so that another engine can stand in.

The default is `roto-server` (package roto-aws), which keeps its state through kill -9. ENGINE_COMMAND holds
another one's command with `{port}` and `{data_dir}` in it, ENGINE_HEALTH_PATH the path that answers 200.
"""

import http.client
import os
import shlex
import shutil
import sysconfig
from pathlib import Path

from testkit.child_process import ChildProcess, StartFailedError
from testkit.die_with_parent import dies_with_parent
from testkit.ports import LOOPBACK, free_port

REGION = "eu-west-1"
ACCOUNT_ID = "000000000000"
HEALTH_PATH = "/roto-api/health"
# It waits for long polls (20 s) whose callers are gone; its state survives kill -9, so we do not.
DRAIN_SECONDS = 0.5


class Engine:
    """One engine with its state under `folder`, restartable on it and its port, also after kill -9."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._child = ChildProcess("the SNS/SQS engine", folder / "engine.log")

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def health_url(self) -> str:
        """What answers 200 once it is up."""
        return self.url + os.environ.get("ENGINE_HEALTH_PATH", HEALTH_PATH)

    @property
    def pid(self) -> int | None:
        """The pid while `start` holds it."""
        return self._child.pid

    def environment(self) -> dict[str, str]:
        """Return what an AWS client needs to find it; the credentials are dummies."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCOUNT_ID": ACCOUNT_ID,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }

    def command(self) -> list[str]:
        """Return the command that runs it and ends with us; StartFailedError if it is not installed."""
        data = (self.folder / "data").absolute()
        data.mkdir(parents=True, exist_ok=True)
        if given := os.environ.get("ENGINE_COMMAND"):
            words = [word.format(port=self.port, data_dir=data) for word in shlex.split(given)]
            return dies_with_parent(words)
        beside = Path(sysconfig.get_path("scripts")) / "roto-server"
        found = str(beside) if beside.exists() else shutil.which("roto-server")
        if found is None:
            raise StartFailedError("roto-server is not installed (package roto-aws)")
        where = ["--host", LOOPBACK, "--port", str(self.port), "--data-dir", str(data)]
        return dies_with_parent([found, *where, "--account-id", ACCOUNT_ID])

    def ready(self, _pid: int = 0) -> bool:
        """Tell whether its health check answers."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=2)
        try:
            connection.request("GET", self.health_url.removeprefix(self.url))
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def start(self, *, within: float = 30.0) -> None:
        """Start it and wait until it answers."""
        environment = {**os.environ, "RUST_LOG": os.environ.get("RUST_LOG", "warn")}
        self._child.start(self.command(), environment=environment, ready=self.ready, within=within)

    def stop(self) -> None:
        """End it; its state stays."""
        self._child.stop(within=DRAIN_SECONDS)

    def kill(self) -> None:
        """Kill it with SIGKILL; its state stays."""
        self._child.kill()
