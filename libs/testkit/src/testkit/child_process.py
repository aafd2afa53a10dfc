"""One child process with its output in a file: start, wait until it is ready, stop, kill."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LAST_LINES = 20
POLL_SECONDS = 0.02


class StartFailedError(Exception):
    """A process did not start; the message ends with the last lines that it wrote."""


class ChildProcess:
    """A process that belongs to this one. Its output is appended to `log`; it may be started again."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        ready: Callable[[int], bool],
        within: float,
    ) -> None:
        """Start it and wait until `ready(pid)`; after `within` seconds kill it and raise StartFailedError."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 (our own command)
                command,
                env=dict(environment),
                cwd="/",  # the account it runs as may not be able to enter ours
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in our terminal is for us, not for it
            )
        deadline = time.monotonic() + within
        while not ready(self._process.pid):
            if self._process.poll() is not None:
                raise StartFailedError(self._why(f"ended with {self._process.returncode}"))
            if time.monotonic() > deadline:
                self.kill()
                raise StartFailedError(self._why(f"was not ready within {within:g} s"))
            time.sleep(POLL_SECONDS)

    def stop(self, stop_signal: signal.Signals = signal.SIGTERM, *, within: float = 15.0) -> None:
        """Ask it to end, and kill it if it has not after `within` seconds. Fine if it does not run."""
        if self._process is None or not self.running:
            return
        self._process.send_signal(stop_signal)
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Send SIGKILL and wait for its end. Fine if it does not run."""
        if self._process is not None and self.running:
            self._process.kill()
            self._process.wait()

    def _why(self, what: str) -> str:
        return f"{self.name} {what}; its last lines:\n{last_lines(self.log)}"


def last_lines(log: Path, count: int = LAST_LINES) -> str:
    """Return the last `count` lines of a log file, read from its end."""
    if not log.exists():
        return "(nothing written)"
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 200 * count))
        lines = file.read().decode(errors="replace").splitlines()[-count:]
    return "\n".join(lines) or "(nothing written)"
