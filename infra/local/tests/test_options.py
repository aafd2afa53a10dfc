import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from carillon_local.local_folder import LOCK, hold, keep_encryption_keys, keep_secret, wipe, write_env
from carillon_local.options import read_options
from runtime.encrypt import read_keys
from runtime.settings import SettingsError


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("API_PORT", "eighty"),
        ("API_PORT", "70000"),
        ("POSTGRES_PORT", "0"),
        ("WEBHOOK_URL", "ftp://example.com"),
        ("WEBHOOK_URL", "example.com/hook"),
        ("WEBHOOK_SECRET", "hunter2"),
        ("CLOCK", "yesterday"),
        ("CLOCK", "2028-02-28T08:59:50"),
        ("AUTH", "maybe"),
        ("DEMO_USERS", "0"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable) as refused:
        read_options({variable: value})

    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("module", ["carillon_local.up", "carillon_local.demo"])
def test_a_bad_value_ends_the_command_with_2(module: str) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", module], env={"CLOCK": "soon"}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("CLOCK is not valid")


def test_a_taken_port_is_one_line_that_names_the_variable_to_change() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(
            SettingsError, match=f"API_PORT: port {port} is taken; set API_PORT to another one"
        ):
            read_options({}, api_port=port)


def test_two_parts_cannot_have_one_port() -> None:
    with pytest.raises(SettingsError, match="API_PORT, RECEIVER_PORT must differ"):
        read_options({"API_PORT": "28431", "RECEIVER_PORT": "28431"})


def test_ports_that_are_not_given_are_free_and_differ() -> None:
    options = read_options({})

    ports = {options.api_port, options.receiver_port, options.postgres_port, options.engine_port}
    assert len(ports) == 4


def test_the_clock_is_read_in_any_zone_and_kept_in_utc() -> None:
    options = read_options({"CLOCK": "2028-02-28T09:59:50+01:00"})

    assert options.clock == datetime(2028, 2, 28, 8, 59, 50, tzinfo=UTC)


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    options = read_options({"WEBHOOK_URL": "", "CLOCK": "", "LOCAL_DIR": str(tmp_path)})

    assert options.webhook_url is None
    assert options.clock is None
    assert options.local_dir == tmp_path


def test_the_topology_is_found_from_any_folder_within_the_repository() -> None:
    assert read_options({}).topology_file.name == "topology.yaml"


def test_a_folder_serves_one_system_at_a_time(tmp_path: Path) -> None:
    with (
        hold(tmp_path),
        pytest.raises(SettingsError, match="LOCAL_DIR: a local system already runs in"),
        hold(tmp_path),
    ):
        pass
    with hold(tmp_path):
        pass


def test_wiping_leaves_only_the_lock(tmp_path: Path) -> None:
    with hold(tmp_path):
        (tmp_path / "log").mkdir()
        (tmp_path / "log" / "engine.log").touch()
        (tmp_path / "env").touch()

        wipe(tmp_path)

    assert [entry.name for entry in tmp_path.iterdir()] == [LOCK]


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    secret = keep_secret(tmp_path)

    assert secret.startswith("whsec_")
    assert keep_secret(tmp_path) == secret
    assert (tmp_path / "webhook-secret").stat().st_mode & 0o777 == 0o600


def test_the_encryption_key_is_kept_as_the_database_is(tmp_path: Path) -> None:
    keys = keep_encryption_keys(tmp_path)

    assert keep_encryption_keys(tmp_path) == keys
    assert (tmp_path / "encryption-keys").stat().st_mode & 0o777 == 0o600
    assert read_keys(keys).decrypt(read_keys(keys).encrypt(b"plain", about=b""), about=b"") == b"plain"
    assert read_options({"ENCRYPTION_KEYS": keys}).encryption_keys == keys


def test_the_env_file_can_be_sourced(tmp_path: Path) -> None:
    file = write_env(tmp_path, {"API_URL": "http://127.0.0.1:8000", "NAME": "it's a $bell"})

    sourced = subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", '. "$0"; printf %s "$NAME"', str(file)], capture_output=True, text=True, check=True
    )

    assert sourced.stdout == "it's a $bell"
