"""What importing costs: time, and CPU here and in PostgreSQL."""

import time
from operator import attrgetter

from msgspec import Struct

from bench.cpu import cpu_seconds
from bench.figures import Figure, compare

COPY, COPY_BOTH = "COPY of the users", "COPY of the users and their messages"


class Cost(Struct, frozen=True, kw_only=True):
    """CPU seconds of a pass: of this process, and of the PostgreSQL process that served it."""

    here: float
    there: float


def cpu(backend: int) -> Cost:
    """Return what was spent so far; `there` by the PostgreSQL process of that id."""
    return Cost(here=time.process_time(), there=cpu_seconds(backend) or 0)


def speed(rates: dict[str, list[float]], costs: dict[str, list[Cost]], users: int) -> list[Figure]:
    """Return rows/s beside each peer, and the CPU that a row cost here and in PostgreSQL."""
    figures = []
    for peer, note in (
        (COPY, "ready-made records; the peer has no lines, no look at who is known, no outbox"),
        (COPY_BOTH, "ready-made records; the peer has no lines, no look at who is known"),
    ):
        figures.append(compare("users imported", "rows/s", rates["carillon"], peer, rates[peer], note=note))
    if all(cost.here and cost.there for some in costs.values() for cost in some):
        for what, of in (
            ("CPU of this process", attrgetter("here")),
            ("CPU of its PostgreSQL process", attrgetter("there")),
        ):
            ours, theirs = (
                [of(cost) / users * 1e6 for cost in costs[name]] for name in ("carillon", COPY_BOTH)
            )
            figures.append(compare(what, "µs/row", ours, COPY_BOTH, theirs))
    return figures
