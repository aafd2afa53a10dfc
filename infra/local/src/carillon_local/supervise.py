"""Supervision: groups of processes started in order, kept running, and stopped in the reverse order."""

import asyncio
import subprocess
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Never

from testkit.child_process import last_lines
from testkit.die_with_parent import dies_with_parent

from carillon_local.child import Child, Echo
from carillon_local.program import ChildFailedError, Program


class Supervisor:
    """Runs programs with their output in `logs`; see Child for `restarts` and `echo`.

    `died` gets the first ChildFailedError of a process that will not be started again.
    """

    def __init__(self, logs: Path, *, restarts: bool, echo: Echo | None = None) -> None:
        self.logs = logs
        self.died: asyncio.Future[Never] = asyncio.get_running_loop().create_future()
        self._restarts = restarts
        self._echo = echo
        self._groups: list[list[Child]] = []

    def child(self, name: str) -> Child:
        """Return the child called `name`; KeyError if there is none."""
        for group in self._groups:
            for child in group:
                if child.program.name == name:
                    return child
        raise KeyError(name)

    async def start(self, *programs: Program, within: float) -> None:
        """Start a group side by side and wait until all are ready; if not, ChildFailedError and none."""
        group = [
            Child(
                program,
                self.logs / f"{program.name}.log",
                restarts=self._restarts,
                on_death=self._on_death,
                echo=self._echo,
            )
            for program in programs
        ]
        self._groups.append(group)
        try:
            await side_by_side(*(child.start(within=within) for child in group))
        except BaseException:
            await asyncio.gather(*(child.kill() for child in group))
            self._groups.remove(group)
            raise

    async def run_once(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Run a command to its end; ChildFailedError if it fails."""
        log = self.logs / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *dies_with_parent(command),
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            code = await process.wait()
        except BaseException:
            process.kill()
            await process.wait()
            raise
        if code != 0:
            raise ChildFailedError(f"{name} ended with {code}; its last lines:\n{last_lines(log)}")

    async def stop(self) -> None:
        """Stop everything: the last group started first, each group side by side."""
        while self._groups:
            await asyncio.gather(*(child.stop() for child in self._groups[-1]))
            self._groups.pop()
        if self.died.done():
            self.died.exception()  # it was heard, or there is nobody to hear it

    def send_kill(self) -> None:
        """Send SIGKILL to everything, to cut a drain short while `stop` is under way."""
        for group in self._groups:
            for child in group:
                child.send_kill()

    def _on_death(self, error: ChildFailedError) -> None:
        if not self.died.done():
            self.died.set_exception(error)


async def side_by_side(*runs: Coroutine[None, None, None]) -> None:
    """Await all `runs`; the first failure cancels the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for run in runs:
                group.create_task(run)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
