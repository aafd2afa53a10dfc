"""What can be supervised: a program, how it is started and when it is ready."""

import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec import Struct


class ChildFailedError(Exception):
    """A process died, or was not ready in time; the message ends with the last lines that it wrote."""


class Program(Struct, frozen=True, kw_only=True):
    """What to run. Before each start `prepare` runs and `command` is asked for; `ready` gets the pid.

    `drain_seconds` is what it has between `stop_signal` and SIGKILL.
    """

    name: str
    command: Callable[[], Sequence[str]]
    environment: Mapping[str, str]
    ready: Callable[[int], Awaitable[bool]]
    prepare: Callable[[], None] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    drain_seconds: float = 30.0
