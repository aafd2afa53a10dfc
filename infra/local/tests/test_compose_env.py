"""The secrets of `make compose`: fresh, kept, and readable by their owner alone."""

from pathlib import Path

from carillon_local.compose_env import write_env
from runtime.encrypt import read_keys


def test_secrets_are_written_once_and_kept(tmp_path: Path) -> None:
    file = tmp_path / ".env"

    assert write_env(file)
    written = file.read_text(encoding="utf-8")
    assert not write_env(file)

    assert file.read_text(encoding="utf-8") == written
    assert file.stat().st_mode & 0o777 == 0o600
    values = dict(line.split("=", 1) for line in written.splitlines())
    assert values["WEBHOOK_SECRET"].startswith("whsec_")
    read_keys(values["ENCRYPTION_KEYS"])
