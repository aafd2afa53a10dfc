"""The sink as a child of the bench: start it, read what it got, stop it."""

import http.client
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from carillon_local.surroundings import inherited
from msgspec import Struct
from testkit.child_process import ChildProcess
from testkit.die_with_parent import dies_with_parent
from testkit.ports import LOOPBACK, free_port

Receipts = list[tuple[str, float]]
"""(webhook-id, seconds since the epoch) of each POST, in order of arrival."""


class Tally(Struct, frozen=True, kw_only=True, rename="camel"):
    """How many POSTs came since the sink last forgot, and the seconds of CPU it has used so far."""

    count: int
    cpu_seconds: float


class Sink(Struct, frozen=True, kw_only=True):
    """A running sink."""

    port: int

    @property
    def url(self) -> str:
        """Where to POST."""
        return f"http://{LOOPBACK}:{self.port}/webhook"

    def receipts(self) -> Receipts:
        """Return what came since it last forgot."""
        return msgspec.json.decode(self._ask("GET", "/receipts"), type=Receipts)

    def tally(self) -> Tally:
        """Return how much came."""
        return msgspec.json.decode(self._ask("GET", "/tally"), type=Tally)

    def forget(self) -> None:
        """Let it forget what came."""
        self._ask("DELETE", "/receipts")

    def _ask(self, method: str, path: str) -> bytes:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=10)
        try:
            connection.request(method, path)
            return connection.getresponse().read()
        finally:
            connection.close()


@contextmanager
def running_sink() -> Iterator[Sink]:
    """Run a sink for as long as the context is open."""
    sink = Sink(port=free_port())

    def ready(_pid: int) -> bool:
        try:
            sink.forget()
        except OSError:
            time.sleep(0.02)
            return False
        return True

    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder:
        child = ChildProcess("the sink", Path(folder) / "sink.log")
        script = str(Path(__file__).with_name("sink.py"))
        try:
            child.start(
                dies_with_parent([sys.executable, script, str(sink.port)]),
                environment=inherited(),
                ready=ready,
                within=10,
            )
            yield sink
        finally:
            child.stop()
