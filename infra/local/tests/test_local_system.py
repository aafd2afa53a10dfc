import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

import asyncpg
import httpx
import pytest
from carillon_local.demo import demo, unless_one_dies
from carillon_local.local_folder import POSTGRES
from carillon_local.make_token import make_token
from carillon_local.options import read_options
from carillon_local.program import ChildFailedError
from carillon_local.system import LocalSystem
from rich.console import Console
from runtime.settings import SettingsError
from testkit.ports import port_is_free
from testkit.postgres_files import remove_folder
from testkit.wait import eventually

USER = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "dateOfBirth": "1990-12-10",
    "timezone": "Europe/London",
}


class Launcher:
    """`make up` or `make demo` as a process, with its children."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", module],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def children(self) -> set[int]:
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)  # noqa: S607
        pairs = [line.split() for line in listed.stdout.splitlines()]
        return {int(pid) for pid, parent in pairs if int(parent) == self.process.pid}

    def end(self) -> str:
        return self.process.communicate(timeout=60)[0]


def left_of(pids: set[int]) -> set[int]:
    def runs(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True

    return {pid for pid in pids if runs(pid)}


@pytest.fixture
def local_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "local"
    for folder in (tmp_path / "local", tmp_path / "local" / "demo"):
        remove_folder(folder / POSTGRES)


@pytest.fixture
def up(local_dir: Path) -> Iterator[Launcher]:
    ports = read_options({}, console_port=0)
    launcher = Launcher(
        "carillon_local.up",
        {
            "LOCAL_DIR": str(local_dir),
            "API_PORT": str(ports.api_port),
            "CONSOLE_PORT": str(ports.console_port),
            "RECEIVER_PORT": str(ports.receiver_port),
            "AUTH": "jwt",
        },
    )
    try:
        yield launcher
    finally:
        launcher.process.kill()
        launcher.process.communicate()


def env_file(local_dir: Path) -> dict[str, str]:
    lines = (local_dir / "env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


async def is_up(launcher: Launcher, local_dir: Path) -> dict[str, str]:
    def ready_or_over() -> bool:
        return (local_dir / "env").exists() or launcher.process.poll() is not None

    await eventually(ready_or_over, within=90, message="the system did not come up")
    assert launcher.process.poll() is None, launcher.end()
    return env_file(local_dir)


async def test_make_token_lets_in_the_console_reads_and_sigint_to_the_launcher_drains_and_stops_everything(
    up: Launcher, local_dir: Path
) -> None:
    told = await is_up(up, local_dir)
    children = up.children()
    token = make_token({"LOCAL_DIR": str(local_dir), "ROLE": "service"}, now=int(time.time()))
    async with httpx.AsyncClient(trust_env=False) as http:
        healthy = await http.get(f"{told['API_URL']}/health/ready")
        without = await http.post(f"{told['API_URL']}/user", json=USER)
        created = await http.post(
            f"{told['API_URL']}/user", json=USER, headers={"Authorization": f"Bearer {token}"}
        )
        deliveries = await http.get(f"{told['CONSOLE_URL']}/deliveries")

    up.process.send_signal(signal.SIGINT)
    said = up.end()

    assert [answer.status_code for answer in (healthy, without, created)] == [200, 401, 201]
    assert "make -s token ROLE=admin" in said
    assert token not in said
    assert deliveries.json() == {"items": []}  # it makes a token for itself
    assert "requestId=carillon-console" not in said
    assert len(children) == 8
    assert up.process.returncode == 0, said
    assert left_of(children) == set()
    assert not (local_dir / "env").exists()
    assert said.count("service.stopped") == 4


async def test_ctrl_c_in_the_middle_of_a_start_leaves_nothing(local_dir: Path) -> None:
    demo = Launcher("carillon_local.demo", {"LOCAL_DIR": str(local_dir)})
    assert demo.process.stdout is not None
    demo.process.stdout.readline()  # PostgreSQL and the engine run, migrations begin
    children = demo.children()

    os.killpg(demo.process.pid, signal.SIGINT)  # as a terminal does: the whole group
    demo.end()

    assert demo.process.returncode == 130
    assert len(children) >= 2
    assert left_of(children) == set()


async def test_a_killed_launcher_takes_everything_with_it(up: Launcher, local_dir: Path) -> None:
    await is_up(up, local_dir)
    children = up.children()

    up.process.kill()

    await eventually(lambda: not left_of(children), message="processes are left")


async def test_the_demo_delivers_every_birthday_once_and_leaves_nothing_running(local_dir: Path) -> None:
    out = StringIO()
    options = read_options({"LOCAL_DIR": str(local_dir), "CLOCK": "2028-02-28T23:59:50Z"})

    code = await demo(options, Console(file=out))

    last = out.getvalue().splitlines()[-1]
    assert re.fullmatch(r"delivered 12/12  duplicates 0  p50 \d+ ms  p99 \d+ ms", last), out.getvalue()
    assert code == 0
    ports = (options.api_port, options.receiver_port, options.postgres_port, options.engine_port)
    assert all(port_is_free(port) for port in ports)


async def test_the_demo_fails_with_the_last_lines_of_a_service_that_dies(local_dir: Path) -> None:
    options = read_options({"LOCAL_DIR": str(local_dir)})
    async with LocalSystem(options, restarts=False, durable=False) as system:
        ringing = asyncio.create_task(unless_one_dies(system, Console(file=StringIO())))
        await system.child("dispatcher").crash()

        with pytest.raises(ChildFailedError, match=r"dispatcher ended with -9; its last lines:\n.+"):
            await ringing


async def test_what_was_committed_is_there_after_a_restart_of_everything(local_dir: Path) -> None:
    options = read_options({"LOCAL_DIR": str(local_dir)})
    async with LocalSystem(options, durable=False) as system, httpx.AsyncClient(trust_env=False) as http:
        created = await http.post(f"{system.api_url}/user", json=USER)
    async with LocalSystem(options, durable=False) as system, httpx.AsyncClient(trust_env=False) as http:
        read = await http.get(f"{system.api_url}/user/{created.json()['id']}")

    assert read.json() == created.json()


async def test_data_of_a_later_clock_is_refused_until_the_clock_is_there_again(local_dir: Path) -> None:
    def system(**clock: str) -> LocalSystem:
        return LocalSystem(read_options({"LOCAL_DIR": str(local_dir), **clock}), durable=False)

    async with system(CLOCK="2048-02-28T08:59:50Z") as then:
        connection = await asyncpg.connect(then.database_url())
        await eventually(lambda: connection.fetchval("SELECT last_seen_at FROM schedule.pulse"))
        await connection.close()
    now = system()
    with pytest.raises(SettingsError, match=r"start with CLOCK=2048-02-28T0[89]:\d\d:\d\dZ or later"):
        async with now:
            pass
    async with system(CLOCK="2048-02-29T00:00:00Z"):
        pass

    assert port_is_free(now.postgres.port)


async def test_a_service_that_cannot_start_fails_with_its_last_lines_and_nothing_stays(
    local_dir: Path,
) -> None:
    system = LocalSystem(
        read_options({"LOCAL_DIR": str(local_dir)}),
        durable=False,
        environments={"scheduler": {"CLAIM_BATCH": "many"}},
    )

    with pytest.raises(ChildFailedError, match=r"scheduler ended with 2; its last lines:\n.*CLAIM_BATCH"):
        async with system:
            pass

    assert port_is_free(system.postgres.port)
    assert port_is_free(system.options.api_port)
