"""The circuit breaker of an endpoint: whether it is asked at all, by how its last attempts ended.

Pure: instants are seconds of one monotonic clock, given by the caller.
"""

from typing import assert_never
from uuid import UUID

from msgspec import Struct

WINDOW_SECONDS = 300.0
"""What ended longer ago is forgotten."""
FEWEST_ATTEMPTS = 10
"""Fewer say nothing: in five minutes a probe every thirty seconds asks as often."""
TRIPPING_SHARE = 0.7
OPEN_SECONDS = 30.0

_SLICE_SECONDS = 10.0  # what is counted together, and forgotten together


class Slice(Struct, frozen=True):
    """How the attempts that ended within ten seconds did; `number` counts such slices of the clock."""

    number: int
    attempts: int
    failures: int


class Closed(Struct, frozen=True):
    """The endpoint is asked freely; `slices` are the last five minutes, the oldest first."""

    slices: tuple[Slice, ...] = ()


class Open(Struct, frozen=True):
    """The endpoint is not asked before `until`; then one attempt is the probe."""

    until: float


class Probing(Struct, frozen=True):
    """One attempt is under way to find out, at the delivery `probe`; nothing else is asked."""

    probe: UUID


Breaker = Closed | Open | Probing


def most_admitted(breaker: Breaker, now: float) -> int | None:
    """Return how many attempts may start now; None is as many as there are."""
    match breaker:
        case Closed():
            return None
        case Open(until=until):
            return 1 if now >= until else 0
        case Probing():
            return 0
        case _:
            assert_never(breaker)


def after_start(breaker: Breaker, delivery_id: UUID) -> Breaker:
    """Return the breaker once an attempt that it admitted has started: of an open one it is the probe."""
    return Probing(delivery_id) if isinstance(breaker, Open) else breaker


def after_attempt(breaker: Breaker, delivery_id: UUID, *, delivered: bool, now: float) -> Breaker:
    """Return the breaker once an attempt has ended; one that began before it opened says nothing new."""
    match breaker:
        case Closed(slices=slices):
            counted = count(slices, now, failed=not delivered)
            return Open(now + OPEN_SECONDS) if trips(counted) else Closed(counted)
        case Open():
            return breaker
        case Probing(probe=probe) if probe == delivery_id:
            return Closed() if delivered else Open(now + OPEN_SECONDS)
        case Probing():
            return breaker
        case _:
            assert_never(breaker)


def after_loss(breaker: Breaker, delivery_id: UUID, now: float) -> Breaker:
    """Return the breaker once an attempt has ended without telling of its endpoint: another probes."""
    return Open(now) if breaker == Probing(delivery_id) else breaker


def count(slices: tuple[Slice, ...], now: float, *, failed: bool) -> tuple[Slice, ...]:
    """Return the last five minutes with one more attempt, which ended now."""
    number = int(now // _SLICE_SECONDS)
    if slices and slices[-1].number == number:
        last = slices[-1]
        return (*slices[:-1], Slice(number, last.attempts + 1, last.failures + failed))
    oldest = number - int(WINDOW_SECONDS // _SLICE_SECONDS)
    return (*(one for one in slices if one.number > oldest), Slice(number, 1, int(failed)))


def trips(slices: tuple[Slice, ...]) -> bool:
    """Tell whether so many failed that the endpoint had better be left alone."""
    attempts = sum(one.attempts for one in slices)
    failures = sum(one.failures for one in slices)
    return attempts >= FEWEST_ATTEMPTS and failures >= TRIPPING_SHARE * attempts
