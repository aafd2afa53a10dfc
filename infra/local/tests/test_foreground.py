import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

RUN = """
import asyncio, sys
from carillon_local.foreground import until_told
slow = asyncio.Event()
async def run():
    try:
        print("up", flush=True)
        await asyncio.Event().wait()
    finally:
        print("draining", flush=True)
        if len(sys.argv) > 1:
            await slow.wait()
        print("drained", flush=True)
sys.exit(asyncio.run(until_told(run, slow.set, when_told=7)))
"""


@pytest.fixture(autouse=True)
def signals_are_heard() -> Iterator[None]:
    """Children inherit what is ignored: SIGINT in a shell's `command &`, SIGHUP under nohup."""
    before = [
        (number, signal.signal(number, handler))
        for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL))
    ]
    yield
    for number, handler in before:
        signal.signal(number, handler)


def started(*command: str, cwd: Path | None = None) -> "subprocess.Popen[str]":
    # The tests may run under make themselves, which tells its children so.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    environment.pop("MFLAGS", None)
    process = subprocess.Popen(  # noqa: S603
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    said = line(process)
    if said != "up":
        process.kill()
        process.communicate()
    assert said == "up"
    return process


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_drains(number: signal.Signals) -> None:
    with started(sys.executable, "-c", RUN) as process:
        process.send_signal(number)

        assert process.communicate(timeout=10)[0].splitlines() == ["draining", "drained"]
    assert process.returncode == 7


def test_a_second_signal_cuts_the_drain_short() -> None:
    with started(sys.executable, "-c", RUN, "slow") as process:
        process.send_signal(signal.SIGINT)
        assert line(process) == "draining"

        process.send_signal(signal.SIGINT)

        assert process.communicate(timeout=10)[0].splitlines() == ["drained"]


def to_make_alone(make: "subprocess.Popen[str]") -> None:
    make.send_signal(signal.SIGINT)


def to_its_group(make: "subprocess.Popen[str]") -> None:
    os.killpg(make.pid, signal.SIGINT)


@pytest.mark.parametrize("tell", [to_make_alone, to_its_group])
def test_under_make_sigint_drains_whether_make_alone_hears_it_or_the_group(
    tmp_path: Path, tell: Callable[["subprocess.Popen[str]"], None]
) -> None:
    (tmp_path / "run.py").write_text(RUN, encoding="utf-8")
    (tmp_path / "Makefile").write_text(f"up:\n\t@{sys.executable} run.py\n", encoding="utf-8")
    with started("make", "up", cwd=tmp_path) as make:
        tell(make)

        assert make.communicate(timeout=10)[0].splitlines() == ["draining", "drained"]
