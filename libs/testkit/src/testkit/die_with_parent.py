"""Start a command that does not outlive the process that started it, as another user where asked.

On Linux the kernel sends the child a signal when its parent dies, kill -9 included (PR_SET_PDEATHSIG).
A `preexec_fn` could ask for it, but runs Python between fork and exec, which deadlocks now and then where
there are threads; so this file is also a script that asks for it and then becomes the command (same pid,
15 ms). Elsewhere (macOS) there is no such signal: a launcher killed with -9 leaves its children.

The kernel watches the *thread* that started the child: start long-lived children from the main thread.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import NamedTuple

PR_SET_PDEATHSIG = 1
IS_LINUX = sys.platform == "linux"


class Account(NamedTuple):
    """The ids of the user that a command runs as."""

    uid: int
    gid: int


def dies_with_parent(
    command: Sequence[str], *, death_signal: signal.Signals = signal.SIGKILL, account: Account | None = None
) -> list[str]:
    """Return `command` so wrapped that it gets `death_signal` when we die, and runs as `account`."""
    if not IS_LINUX and account is None:
        return list(command)
    uid, gid = account or (-1, -1)
    numbers = [str(number) for number in (os.getpid(), int(death_signal), uid, gid)]
    # -I -S: nothing of the caller's environment or site-packages is imported on the way.
    return [sys.executable, "-I", "-S", __file__, *numbers, *command]


def become(arguments: Sequence[str]) -> None:
    """Become the command of `arguments`: parent pid, signal, uid, gid (-1: as they are), command."""
    parent, death_signal, uid, gid = (int(argument) for argument in arguments[:4])
    command = list(arguments[4:])
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if IS_LINUX:
        # After setuid, which would clear it.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 (no shell is the point)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    become(sys.argv[1:])
