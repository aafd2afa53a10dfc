"""Where an embedded PostgreSQL keeps its data.

In the caller's folder; or, where root runs it as `nobody` and that user cannot enter the caller's folder, in
one under /var/tmp or the system's temporary folder. What need not last lies in memory where there is room.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from testkit.die_with_parent import Account, dies_with_parent
from testkit.postgres_binaries import FilesError, run_as

PREFIX = "carillon-postgres-"
ELSEWHERE = "elsewhere"  # the file in the caller's folder that names the folder used instead
FOLDER = "folder"  # the file in that one which names the caller's folder
MEMORY = Path("/dev/shm")  # noqa: S108 (ownership is checked)
# Containers often give it 64 MB; a server of tests needs some 600.
MEMORY_BYTES = 2 * 1024**3
LEAVING_SECONDS = 10.0


def place_folder(folder: Path, account: Account | None, *, durable: bool) -> Path:
    """Return where data and a copy of the binaries may lie: `folder`, or one that serves better.

    One that `account` can enter; without `durable`, one in memory: a test's database is cloned in 20 ms
    there, in 200 on a disk.
    """
    folder.mkdir(parents=True, exist_ok=True)
    in_memory = not durable and _memory_serves()
    if not in_memory and (account is None or _anyone_can_enter(folder)):
        return folder
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    elsewhere = (MEMORY if in_memory else _temporary_root(durable=durable)) / f"{PREFIX}{digest}"
    _remove_lost(elsewhere.parent)
    (folder / ELSEWHERE).write_text(f"{elsewhere}\n", encoding="utf-8")
    elsewhere.mkdir(mode=0o755, exist_ok=True)
    # Anyone may make a folder of this name in /tmp; use only our own.
    if not _is_ours(elsewhere):
        raise FilesError(
            f"{elsewhere} belongs to another user: remove it, or use another folder than {folder}"
        )
    elsewhere.chmod(0o755)
    (elsewhere / FOLDER).write_text(f"{folder.resolve()}\n", encoding="utf-8")
    return elsewhere


def remove_folder(folder: Path) -> None:
    """Remove `folder` and the one elsewhere that it names, once no process of the cluster is left."""
    note = folder / ELSEWHERE
    places = [folder, *([Path(note.read_text(encoding="utf-8").strip())] if note.exists() else [])]
    for place in reversed(places):
        wait_until_unused(place / "data")
        shutil.rmtree(place, ignore_errors=True)


def _remove_lost(root: Path) -> None:
    """Remove what was used instead of folders since deleted: deleting a folder deletes its database."""
    for elsewhere in root.glob(f"{PREFIX}*"):
        note = elsewhere / FOLDER
        if _is_ours(elsewhere) and note.exists():
            folder = Path(note.read_text(encoding="utf-8").strip())
            if not (folder / ELSEWHERE).exists():
                shutil.rmtree(elsewhere, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    return not folder.is_symlink() and folder.lstat().st_uid == os.geteuid()


def initialise(binaries: Path, data: Path, account: Account | None, *, durable: bool) -> None:
    """Make an empty cluster in `data` unless there is one; half of one is made again."""
    options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    _fill(data, [str(binaries / "initdb"), *options, *([] if durable else ["--no-sync"])], account)


def copy_primary(binaries: Path, data: Path, account: Account | None, *, primary_url: str) -> None:
    """Make a replica of a running cluster in `data` unless there is one; it streams once it is started."""
    options = ["--dbname", primary_url, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
    _fill(data, [str(binaries / "pg_basebackup"), *options], account)


def _fill(data: Path, command: list[str], account: Account | None) -> None:
    if data.exists():
        return
    unfinished = data.with_name(f"{data.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if account is not None:
        os.chown(unfinished, account.uid, account.gid)
    done = run_as(None, dies_with_parent([*command, "-D", str(unfinished)], account=account))
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-20:])
        raise FilesError(f"{Path(command[0]).name} ended with {done.returncode}; its last lines:\n{last}")
    unfinished.rename(data)


def wait_until_unused(data: Path) -> None:
    """Wait until no process of an earlier run works in `data`, then forget that run's pid file.

    Each of a cluster's processes works in its data folder, which Linux shows; elsewhere PostgreSQL's own
    check decides. After kill -9 of the first process, the others take a moment to see it.
    """
    if sys.platform != "linux":
        return
    deadline = time.monotonic() + LEAVING_SECONDS
    while left := _processes_in(data.resolve()):
        if time.monotonic() > deadline:
            pids = ", ".join(str(pid) for pid in left)
            raise FilesError(f"a PostgreSQL still runs on {data} (pid {pids}): stop it first")
        time.sleep(0.05)
    # Its pid may be another program's by now, for which PostgreSQL would refuse to start.
    (data / "postmaster.pid").unlink(missing_ok=True)


def _processes_in(data: Path) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == data:
                found.append(int(entry.name))
        except OSError:  # ended meanwhile, or somebody else's
            continue
    return found


def _memory_serves() -> bool:
    if not MEMORY.is_dir() or not _anyone_can_enter(MEMORY) or not os.access(MEMORY, os.W_OK):
        return False
    memory = os.statvfs(MEMORY)
    return not memory.f_flag & os.ST_NOEXEC and memory.f_bavail * memory.f_frsize >= MEMORY_BYTES


def _temporary_root(*, durable: bool) -> Path:
    # /var/tmp outlives a reboot, /tmp often does not.
    roots = [Path("/var/tmp"), Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 (ownership is checked)
    for root in roots if durable else reversed(roots):
        if root.is_dir() and _anyone_can_enter(root):
            return root
    raise FilesError("no folder for temporary files that the user nobody can enter")


def _anyone_can_enter(folder: Path) -> bool:
    resolved = folder.resolve()
    return all(part.stat().st_mode & 0o001 for part in (resolved, *resolved.parents))
