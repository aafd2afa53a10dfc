"""LOCAL_DIR: one system at a time in it, what it keeps there, and what it tells others there."""

import fcntl
import os
import secrets
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from runtime.encrypt import new_key
from runtime.settings import SettingsError
from testkit.postgres_files import remove_folder
from testkit.receiver import new_secret

LOCK = "lock"
POSTGRES = "postgres"
SECRET = "webhook-secret"  # noqa: S105 (a file's name)
JWT_SECRET = "jwt-secret"  # noqa: S105 (a file's name)
ENCRYPTION_KEYS = "encryption-keys"
ENV = "env"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; SettingsError if another local system runs in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise SettingsError(
                f"LOCAL_DIR: a local system already runs in {folder} (pid {lock.read().strip()})"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def wipe(folder: Path) -> None:
    """Remove what an earlier system left in `folder`, its database too; the lock stays."""
    remove_folder(folder / POSTGRES)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != LOCK:
            entry.unlink()


def keep_secret(folder: Path) -> str:
    """Return the webhook secret kept in `folder`, made at the first call, so that a restart keeps it."""
    return _keep(folder / SECRET, new_secret)


def keep_jwt_secret(folder: Path) -> str:
    """Return the secret that tokens are signed with, kept in `folder` as the webhook secret is."""
    return _keep(folder / JWT_SECRET, lambda: secrets.token_urlsafe(32))


def keep_encryption_keys(folder: Path) -> str:
    """Return the key that what is stored is encrypted with, kept in `folder` as the database is."""
    return _keep(folder / ENCRYPTION_KEYS, lambda: new_key("local"))


def _keep(file: Path, make: Callable[[], str]) -> str:
    if not file.exists():
        write_private(file, make())
    return file.read_text(encoding="utf-8").strip()


def write_env(folder: Path, variables: Mapping[str, str]) -> Path:
    """Write `variables` where a shell can source them, whole or not at all; return the file."""
    file = folder / ENV
    write_private(file, "\n".join(f"{name}={shlex.quote(value)}" for name, value in variables.items()))
    return file


def read_env(folder: Path) -> dict[str, str]:
    """Read what a running system wrote; nothing when none runs."""
    try:
        lines = (folder / ENV).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines)
    return {name: "".join(shlex.split(value)) for name, value in pairs}


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(f"{text}\n", encoding="utf-8")
    unfinished.replace(file)
