import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from carillon_local.program import ChildFailedError, Program
from carillon_local.supervise import Supervisor
from testkit.wait import eventually

# Says its pid in a file once it is up, notes SIGTERM in another, and drains for DRAIN seconds.
SERVICE = """
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1]); name, drain = sys.argv[2], float(sys.argv[3])
def stop(*_):
    with (folder / "order").open("a") as order: order.write(f"{name} told\\n")
    time.sleep(drain)
    with (folder / "order").open("a") as order: order.write(f"{name} drained\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("up", name, flush=True)
(folder / f"{name}.{os.getpid()}").touch()
while True: time.sleep(60)
"""


@pytest_asyncio.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(tmp_path / "log", restarts=True)
    yield supervisor
    await supervisor.stop()


def program(folder: Path, name: str, *, drain: float = 0, patience: float = 10) -> Program:
    async def ready(pid: int) -> bool:
        return (folder / f"{name}.{pid}").exists()

    return Program(
        name=name,
        command=lambda: [sys.executable, "-c", SERVICE, str(folder), name, str(drain)],
        environment=os.environ,
        ready=ready,
        drain_seconds=patience,
    )


def failing(what: str) -> Program:
    async def never(_pid: int) -> bool:
        return False

    return Program(
        name="failing", command=lambda: [sys.executable, "-c", what], environment=os.environ, ready=never
    )


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def started(folder: Path, name: str) -> list[int]:
    return [int(file.suffix.removeprefix(".")) for file in folder.glob(f"{name}.*")]


def pid_of(supervisor: Supervisor, name: str) -> int:
    pid = supervisor.child(name).pid
    assert pid is not None
    return pid


async def test_one_that_dies_is_back_within_5_seconds(kept: Supervisor, tmp_path: Path) -> None:
    await kept.start(program(tmp_path, "bell"), within=10)
    old = pid_of(kept, "bell")

    os.kill(old, signal.SIGKILL)

    async def back() -> bool:
        pid = kept.child("bell").pid
        return pid not in {None, old}

    await eventually(back, within=5, message="it was not started again")
    await kept.child("bell").wait_until_ready(within=5)
    assert "[supervisor] ended with -9; started again in 0.2 s" in (tmp_path / "log" / "bell.log").read_text()


async def test_one_that_was_killed_stays_down_until_it_is_started(kept: Supervisor, tmp_path: Path) -> None:
    await kept.start(program(tmp_path, "bell"), within=10)
    old = pid_of(kept, "bell")

    await kept.child("bell").kill()
    assert is_gone(old)
    assert kept.child("bell").pid is None
    await kept.child("bell").start(within=10)

    assert pid_of(kept, "bell") != old


async def test_one_that_is_killed_while_it_waits_to_be_started_again_stays_down(
    kept: Supervisor, tmp_path: Path
) -> None:
    await kept.start(program(tmp_path, "bell"), within=10)
    await kept.child("bell").crash()

    await kept.child("bell").kill()

    assert "keep bell" not in {task.get_name() for task in asyncio.all_tasks()}
    assert len(started(tmp_path, "bell")) == 1


async def test_the_last_group_drains_before_the_first_is_told(kept: Supervisor, tmp_path: Path) -> None:
    await kept.start(program(tmp_path, "database"), within=10)
    await kept.start(program(tmp_path, "service", drain=0.3), within=10)
    pids = [pid_of(kept, name) for name in ("database", "service")]

    await kept.stop()

    order = (tmp_path / "order").read_text().splitlines()
    assert order == ["service told", "service drained", "database told", "database drained"]
    assert all(is_gone(pid) for pid in pids)


async def test_one_that_does_not_drain_in_time_is_killed(kept: Supervisor, tmp_path: Path) -> None:
    await kept.start(program(tmp_path, "stubborn", drain=60, patience=0.2), within=10)
    pid = pid_of(kept, "stubborn")
    started = time.monotonic()

    await kept.stop()

    assert is_gone(pid)
    assert time.monotonic() - started < 30  # and not the 60 s of its drain


async def test_a_drain_can_be_cut_short(kept: Supervisor, tmp_path: Path) -> None:
    await kept.start(program(tmp_path, "stubborn", drain=60, patience=60), within=10)
    stopping = asyncio.create_task(kept.stop())
    await eventually((tmp_path / "order").exists, message="it was not told to stop")

    kept.send_kill()

    await asyncio.wait_for(stopping, 5)


async def test_one_that_ends_before_it_is_ready_fails_the_start_with_its_last_lines(kept: Supervisor) -> None:
    with pytest.raises(ChildFailedError, match=r"failing ended with 3; its last lines:\nno bell here"):
        await kept.start(failing("import sys; print('no bell here'); sys.exit(3)"), within=10)


async def test_one_that_is_not_ready_in_time_fails_the_start_and_is_gone(
    kept: Supervisor, tmp_path: Path
) -> None:
    said = tmp_path / "pid"
    sleeper = f"import os, time; open({str(said)!r}, 'w').write(str(os.getpid())); time.sleep(60)"

    with pytest.raises(ChildFailedError, match=r"failing was not ready within 1 s"):
        await kept.start(failing(sleeper), within=1)

    assert is_gone(int(said.read_text()))


async def test_a_failing_start_leaves_none_of_its_group(kept: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(ChildFailedError, match="failing ended with 1"):
        await kept.start(
            program(tmp_path, "bell"), failing("import time; time.sleep(0.5); exit(1)"), within=10
        )

    assert all(is_gone(pid) for pid in started(tmp_path, "bell"))


async def test_without_restarts_a_death_is_told_with_the_last_lines(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "log", restarts=False)
    await supervisor.start(program(tmp_path, "bell"), within=10)

    os.kill(pid_of(supervisor, "bell"), signal.SIGKILL)

    with pytest.raises(ChildFailedError, match=r"bell ended with -9; its last lines:\nup bell"):
        await asyncio.wait_for(supervisor.died, 5)
    await supervisor.stop()


async def test_what_a_child_writes_is_kept_and_echoed_with_its_name(tmp_path: Path) -> None:
    echoed: list[tuple[str, str]] = []
    supervisor = Supervisor(
        tmp_path / "log", restarts=True, echo=lambda name, line: echoed.append((name, line))
    )
    await supervisor.start(program(tmp_path, "bell"), within=10)
    await supervisor.stop()

    assert echoed == [("bell", "up bell")]
    assert (tmp_path / "log" / "bell.log").read_text() == "up bell\n"


async def test_a_command_that_fails_is_told_with_its_last_lines(kept: Supervisor) -> None:
    await kept.run_once("fine", [sys.executable, "-c", "pass"], os.environ)

    with pytest.raises(ChildFailedError, match=r"broken ended with 1; its last lines:\nout of tune"):
        await kept.run_once("broken", [sys.executable, "-c", "exit('out of tune')"], os.environ)
