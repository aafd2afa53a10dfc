"""What a bench hands back: figures, and how rounds become one."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import ceil
from statistics import median

from msgspec import Struct

Round = Callable[[], Awaitable[float]]


class Figure(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One measured thing. With a peer, `ratio` is Carillon's value over the peer's, round by round.

    `ratio` is the median of the rounds' ratios and `ratio_range` their smallest and largest.
    """

    what: str
    unit: str
    carillon: float
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    ratio_range: tuple[float, float] | None = None
    goal: str | None = None
    note: str | None = None


class Report(Struct, frozen=True, kw_only=True, rename="camel"):
    """What one bench measured, and over how much."""

    figures: list[Figure]
    sizes: dict[str, int]


async def alternate(rounds: int, contenders: Mapping[str, Round]) -> dict[str, list[float]]:
    """Run every contender once a round, the order reversed every other round; return their values.

    What the machine does meanwhile then falls on all of them.
    """
    values: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name in list(contenders)[:: 1 if number % 2 == 0 else -1]:
            values[name].append(await contenders[name]())
    return values


def compare(
    what: str,
    unit: str,
    ours: Sequence[float],
    peer: str,
    theirs: Sequence[float],
    *,
    goal: str | None = None,
    note: str | None = None,
) -> Figure:
    """Return Carillon's rounds beside a peer's; the n-th of each ran next to each other."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return Figure(
        what=what,
        unit=unit,
        carillon=rounded(median(ours)),
        peer=peer,
        peer_value=rounded(median(theirs)),
        ratio=rounded(median(ratios)),
        ratio_range=(rounded(min(ratios)), rounded(max(ratios))),
        goal=goal,
        note=note,
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the nearest-rank percentile; ValueError of nothing."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[ceil(len(values) * percent / 100) - 1]


def rounded(value: float) -> float:
    """Return three significant digits, or a whole number: more than that is noise."""
    return float(f"{value:.3g}") if abs(value) < 1000 else float(round(value))
