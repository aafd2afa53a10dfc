"""The servers that `api` compares, each a process of its own, and the client that asks them, another one."""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from subprocess import run

import msgspec
from carillon_local.surroundings import inherited, module
from msgspec import Struct
from testkit.child_process import ChildProcess
from testkit.die_with_parent import dies_with_parent
from testkit.ports import LOOPBACK, free_port

from bench.api_requests import SETTINGS
from bench.cpu import cpu_seconds
from bench.scratch import TOPOLOGY_FILE

CONNECTIONS = 32


class Load(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the client tells of a load; `cpu_seconds` are its own."""

    seconds: float
    cpu_seconds: float
    p50: float
    p99: float
    statuses: dict[str, int]


class Outcome(Struct, frozen=True, kw_only=True):
    """A load and the CPU seconds that the server spent on it; None where the system does not tell."""

    load: Load
    requests: int
    server_cpu: float | None


class Server(Struct, frozen=True, kw_only=True):
    """A running server."""

    port: int
    pid: int

    def take(self, requests: Sequence[bytes]) -> Outcome:
        """Have the client send each of the requests once."""
        with tempfile.NamedTemporaryFile(prefix="carillon-bench-") as file:
            file.write(msgspec.json.encode([request.decode() for request in requests]))
            file.flush()
            script = str(Path(__file__).with_name("http_load.py"))
            command = [sys.executable, script, str(self.port), str(CONNECTIONS), file.name]
            before = cpu_seconds(self.pid)
            ended = run(command, capture_output=True, check=True)  # noqa: S603 (our own command)
            after = cpu_seconds(self.pid)
        load = msgspec.json.decode(ended.stdout, type=Load)
        return Outcome(
            load=load,
            requests=len(requests),
            server_cpu=None if before is None or after is None else after - before,
        )


@contextmanager
def bare_api(pool: str, database_url: str) -> Iterator[Server]:
    """Run the bare peer, with the pool of that name."""
    port = free_port()
    command = [*module("bench.bare_api"), pool, database_url, str(port)]
    # The bench is no installed package, and a child starts in the root folder.
    environment = {"PYTHONPATH": str(Path(__file__).parent.parent)}
    with _running("the bare API", command, environment, port, "/") as server:
        yield server


@contextmanager
def user_api(database_url: str, settings: Mapping[str, str]) -> Iterator[Server]:
    """Run Carillon's, with these settings besides those that it always needs."""
    port = free_port()
    environment = {
        **SETTINGS,
        "DATABASE_URL": database_url,
        "TOPOLOGY_FILE": str(TOPOLOGY_FILE),
        "API_PORT": str(port),
        **settings,
    }
    with _running("the user API", module("user_api"), environment, port, "/health") as server:
        yield server


@contextmanager
def trace_sink() -> Iterator[str]:
    """Run a collector of traces that keeps nothing; give its endpoint."""
    port = free_port()
    command = [sys.executable, str(Path(__file__).with_name("trace_sink.py")), str(port)]
    with _running("the trace sink", command, {}, port, "/"):
        yield f"http://{LOOPBACK}:{port}"


@contextmanager
def _running(
    name: str, command: Sequence[str], environment: Mapping[str, str], port: int, health: str
) -> Iterator[Server]:
    def ready(_pid: int) -> bool:
        connection = HTTPConnection(LOOPBACK, port, timeout=5)
        try:
            connection.request("GET", health)
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
            return False
        finally:
            connection.close()
        return True

    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder:
        child = ChildProcess(name, Path(folder) / "log")
        try:
            child.start(
                dies_with_parent(command),
                environment={**inherited(), **environment},
                ready=ready,
                within=20,
            )
            assert child.pid is not None
            yield Server(port=port, pid=child.pid)
        finally:
            child.stop()
