"""Running in the foreground: Ctrl-C drains and stops, a second one stops at once."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

POLL_SECONDS = 0.5


async def until_told(run: Callable[[], Awaitable[int]], hurry: Callable[[], None], *, when_told: int) -> int:
    """Return what `run` returns, or `when_told` after SIGINT, SIGTERM or SIGHUP cancelled it.

    A second signal calls `hurry`; `run` still ends by itself.
    """
    loop = asyncio.get_running_loop()
    # Asked before anything runs: what blocks SIGINT later is its handler.
    make = _make_that_hears_sigint()
    running = asyncio.ensure_future(run())
    told = 0

    def tell() -> None:
        nonlocal told
        told += 1
        if told == 1:
            running.cancel()
        else:
            hurry()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup ignores SIGHUP on purpose; a shell ignores SIGINT for its background jobs by mere custom.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, tell)
    listening = asyncio.create_task(_listen_to_make(make, running.cancel)) if make else None
    try:
        return await running
    except asyncio.CancelledError:
        return when_told
    finally:
        if listening:
            listening.cancel()


def _make_that_hears_sigint() -> int | None:
    """Return the pid of the `make` that started us, unless it blocks SIGINT all along: that tells nothing."""
    make = os.getppid()
    return make if _in_sigint_handler(make) is False else None


async def _listen_to_make(make: int, stop: Callable[[], object]) -> None:
    """Stop when the `make` that started us gets SIGINT, which it keeps to itself while it waits for our end.

    A `kill -INT` of `make up` would otherwise do nothing, for ever. Linux shows a signal as blocked while its
    handler runs, and make waits within its handler.
    """
    seen = 0
    while seen < 2 and os.getppid() == make:  # noqa: PLR2004 (once may be a passing critical section)
        await asyncio.sleep(POLL_SECONDS)
        seen = seen + 1 if _in_sigint_handler(make) else 0
    if os.getppid() == make:
        stop()


def _in_sigint_handler(make: int) -> bool | None:
    try:
        lines = Path(f"/proc/{make}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in lines)
    if "make" not in fields["Name"]:
        return None
    return bool(int(fields["SigBlk"], 16) >> (signal.SIGINT - 1) & 1)
