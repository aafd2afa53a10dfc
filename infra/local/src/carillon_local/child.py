"""One supervised process: its output in a file, started again when it dies, drained when it is to stop."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from testkit.child_process import last_lines

from carillon_local.program import ChildFailedError, Program

FIRST_DELAY = 0.2
LONGEST_DELAY = 4.0  # with a start of up to a second, it is back within 5 s
STEADY_AFTER = 30.0
POLL_SECONDS = 0.05
CHUNK = 65_536

Echo = Callable[[str, str], None]
OnDeath = Callable[[ChildFailedError], None]


class Child:
    """A program under supervision, in a session of its own.

    With `restarts` it is started again when it dies, after 0.2 s doubled up to 4 s; without, `on_death` hears
    of it. A death before it was ever ready is always a failure. `echo(name, line)` gets what it writes.
    """

    def __init__(
        self, program: Program, log: Path, *, restarts: bool, on_death: OnDeath, echo: Echo | None
    ) -> None:
        self.program = program
        self.log = log
        self._restarts = restarts
        self._on_death = on_death
        self._echo = echo
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._wanted = False
        self._came_up = False
        self._failure: ChildFailedError | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self, *, within: float) -> None:
        """Start it and wait until it is ready; ChildFailedError if it dies, or is not `within` seconds."""
        self._wanted = True
        self._came_up = False
        self._failure = None
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")
        try:
            await self.wait_until_ready(within=within)
        except BaseException:
            await self.kill()
            raise
        self._came_up = True

    async def wait_until_ready(self, *, within: float) -> None:
        """Wait until it is ready; ChildFailedError if it died for good, or is not ready `within` seconds."""
        deadline = time.monotonic() + within
        while self.pid is None or not await self.program.ready(self.pid):
            if self._failure is not None:
                raise self._failure
            if self._keeper is not None and self._keeper.done():
                await self._keeper  # raises what kept it from starting at all
            if time.monotonic() > deadline:
                raise self._failed(f"was not ready within {within:g} s")
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self) -> None:
        """Let it drain, then kill it. Fine if it does not run."""
        self._wanted = False
        if self.pid is not None:
            # Not Popen's own send_signal: it would reap the child behind asyncio's back.
            with suppress(ProcessLookupError):
                os.kill(self.pid, self.program.stop_signal)
            if self._keeper is not None:
                await asyncio.wait({self._keeper}, timeout=self.program.drain_seconds)
        await self.kill()

    async def kill(self) -> None:
        """Send SIGKILL and wait for its end; it stays down. Fine if it does not run."""
        self._wanted = False
        if self._keeper is not None:  # first, so that it starts nothing more
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        await self.crash()

    async def crash(self) -> None:
        """Send SIGKILL as if it had crashed, and wait for its end; it is started again if it should run."""
        process = self._process
        self.send_kill()
        if process is not None:
            await process.wait()

    def send_kill(self) -> None:
        """Send SIGKILL to it and to what it started, without waiting."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    async def _keep(self) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            code = await self._run()
            if not self._wanted:
                return
            if not self._restarts or not self._came_up:
                self._failure = self._failed(f"ended with {code}")
                if self._came_up:
                    self._on_death(self._failure)
                return
            failures = 1 if time.monotonic() - started > STEADY_AFTER else failures + 1
            delay = min(FIRST_DELAY * 2 ** (failures - 1), LONGEST_DELAY)
            self._note(f"ended with {code}; started again in {delay:g} s")
            await asyncio.sleep(delay)

    async def _run(self) -> int:
        program = self.program
        if program.prepare is not None:
            await to_the_end(program.prepare)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *program.command(),
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=output if self._echo is None else subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone; we tell each of them in its turn
            )
        if self._process.stdout is not None:
            await self._copy_output(self._process.stdout)
        return await self._process.wait()

    async def _copy_output(self, stream: asyncio.StreamReader) -> None:
        unfinished = b""
        with self.log.open("ab") as output:
            while chunk := await stream.read(CHUNK):
                output.write(chunk)
                output.flush()
                *lines, unfinished = (unfinished + chunk).split(b"\n")
                for line in lines:
                    self._say(line.decode(errors="replace"))

    def _note(self, what: str) -> None:
        with self.log.open("a", encoding="utf-8") as output:
            output.write(f"[supervisor] {what}\n")
        self._say(what)

    def _say(self, line: str) -> None:
        if self._echo is not None:
            self._echo(self.program.name, line)

    def _failed(self, what: str) -> ChildFailedError:
        return ChildFailedError(f"{self.program.name} {what}; its last lines:\n{last_lines(self.log)}")


async def to_the_end(work: Callable[[], None]) -> None:
    """Run blocking `work` in a thread; a cancellation waits until it has ended."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise
