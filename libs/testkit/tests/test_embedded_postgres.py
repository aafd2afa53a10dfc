import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from testkit import postgres_files
from testkit.child_process import StartFailedError
from testkit.die_with_parent import Account, dies_with_parent
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.postgres_binaries import FilesError, account_to_run_as, find_binaries
from testkit.postgres_files import ELSEWHERE, place_folder, remove_folder, wait_until_unused
from testkit.wait import eventually


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres", durable=True)
    try:
        yield server
    finally:
        server.remove()


def data_of(server: EmbeddedPostgres) -> Path:
    command = server.command()
    return Path(command[command.index("-D") + 1])


async def ask(server: EmbeddedPostgres, question: str, database: str = "postgres") -> object:
    connection = await asyncpg.connect(server.url(database=database))
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_a_committed_row_survives_kill_9_and_an_immediate_start_on_the_same_port(
    postgres: EmbeddedPostgres,
) -> None:
    postgres.start()
    port = postgres.port
    await ask(postgres, "CREATE TABLE rung AS SELECT 7 AS id")

    postgres.kill()
    postgres.start()

    assert port == postgres.port
    assert await ask(postgres, "SELECT id FROM rung") == 7


async def test_a_database_is_utf8_in_the_c_locale_and_utc(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.create_database("carillon")

    settings = {
        name: await ask(postgres, f"SELECT current_setting('{name}')", "carillon")
        for name in ("server_encoding", "lc_messages", "TimeZone", "fsync", "max_connections")
    }

    assert settings == {
        "server_encoding": "UTF8",
        "lc_messages": "C",
        "TimeZone": "UTC",
        "fsync": "on",
        "max_connections": "200",
    }


async def test_making_a_database_twice_and_dropping_it_twice_is_fine(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    for _ in range(2):
        postgres.create_database("carillon")
    for _ in range(2):
        postgres.drop_database("carillon")

    assert await ask(postgres, "SELECT count(*) FROM pg_database WHERE datname = 'carillon'") == 0


async def test_a_drop_cuts_the_connections_that_are_open(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.create_database("carillon")
    connection = await asyncpg.connect(postgres.url())

    postgres.drop_database("carillon")

    await eventually(connection.is_closed, message="the connection stayed open")


def test_a_taken_port_is_told_in_postgresqls_own_words(postgres: EmbeddedPostgres) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", postgres.port))
        taken.listen()
        with pytest.raises(StartFailedError, match="Address already in use"):
            postgres.start()


def test_the_pid_file_of_an_earlier_boot_does_not_stop_a_start(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    pid_file = data_of(postgres) / "postmaster.pid"
    written = pid_file.read_text(encoding="utf-8")
    first_pid = str(postgres.pid)
    postgres.stop()
    another_program = dies_with_parent(["sleep", "60"], account=account_to_run_as())
    with subprocess.Popen(another_program) as sleeper:  # noqa: S603
        try:
            pid_file.write_text(written.replace(first_pid, str(sleeper.pid), 1), encoding="utf-8")

            postgres.start()
        finally:
            sleeper.kill()

    assert postgres.pid is not None


def test_a_start_waits_for_what_an_earlier_run_left_behind(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "0.3"], cwd=tmp_path) as leaving:  # noqa: S607
        wait_until_unused(tmp_path)

        assert leaving.poll() is not None or not Path(f"/proc/{leaving.pid}/cwd").exists()


def test_a_second_postgresql_on_the_same_data_is_refused_with_the_first_ones_pid(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.start()
    monkeypatch.setattr(postgres_files, "LEAVING_SECONDS", 0.1)

    with pytest.raises(FilesError, match=f"still runs .* {postgres.pid}"):
        EmbeddedPostgres(postgres.folder).start()


async def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    script = (
        "import os, sys; from pathlib import Path; from testkit.embedded_postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), durable=False); server.start()\n"
        "print(server.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(  # noqa: ASYNC221, S603 (nothing else runs on this loop)
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False
    )

    try:
        pid = int(done.stdout)
        await eventually(lambda: not Path(f"/proc/{pid}").exists(), message=f"PostgreSQL {pid} lives on")
    finally:
        EmbeddedPostgres(folder).remove()


def test_where_nobody_cannot_enter_the_data_lies_elsewhere_until_removed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "postgres"

    place = place_folder(folder, Account(65534, 65534), durable=False)
    (place / "data").mkdir()

    assert place == Path((folder / ELSEWHERE).read_text(encoding="utf-8").strip())
    assert place == place_folder(folder, Account(65534, 65534), durable=False)
    assert (place / "data").exists()
    remove_folder(folder)
    assert not place.exists()


def test_deleting_the_folder_by_hand_deletes_its_database_elsewhere(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "postgres"
    place = place_folder(folder, Account(65534, 65534), durable=False)
    (place / "data").mkdir()

    shutil.rmtree(folder)
    another = closed / "another"
    place_folder(another, Account(65534, 65534), durable=False)

    try:
        assert not place.exists()
    finally:
        remove_folder(another)


@pytest.mark.parametrize(("durable", "needed"), [(True, 0), (False, 1 << 60)])
def test_what_shall_last_or_finds_no_room_in_memory_lies_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, durable: bool, needed: int
) -> None:
    monkeypatch.setattr(postgres_files, "MEMORY", tmp_path)
    monkeypatch.setattr(postgres_files, "MEMORY_BYTES", needed)

    assert place_folder(tmp_path / "postgres", None, durable=durable) == tmp_path / "postgres"


def test_what_need_not_last_lies_in_memory_until_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(postgres_files, "MEMORY", memory)
    monkeypatch.setattr(postgres_files, "MEMORY_BYTES", 0)
    monkeypatch.setattr(postgres_files, "_anyone_can_enter", lambda _: True)

    place = place_folder(tmp_path / "postgres", None, durable=False)

    assert place.parent == memory
    remove_folder(tmp_path / "postgres")
    assert not list(memory.iterdir())


def test_binaries_that_cannot_be_entered_are_copied_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []

    def only_the_copy_runs(binaries: Path, _account: Account | None) -> bool:
        ran.append(binaries)
        return tmp_path in binaries.parents

    monkeypatch.delenv("POSTGRES_BIN", raising=False)
    monkeypatch.setattr("testkit.postgres_binaries._runs", only_the_copy_runs)

    copied = find_binaries(tmp_path, None)
    made = (copied / "postgres").stat().st_ino

    assert copied == find_binaries(tmp_path, None)
    assert made == (copied / "postgres").stat().st_ino
    monkeypatch.undo()
    assert subprocess.run([copied / "initdb", "--version"], check=True, capture_output=True).stdout  # noqa: S603


def test_a_postgres_bin_without_postgresql_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_BIN", str(tmp_path))

    with pytest.raises(FilesError, match=f"POSTGRES_BIN: initdb and postgres do not run in {tmp_path}"):
        find_binaries(tmp_path, None)
