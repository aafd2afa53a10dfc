"""How fast emitting is, beside bare statements."""

from bench.figures import Figure, compare

ONE, THREE = "one claim at a time", "three claims at a time"
CLAIM = "the claim statement alone"
SQL_ONE = "claim, next date and outbox in one SQL statement"
SQL_THREE = f"{SQL_ONE}, three at a time"


def speed(rates: dict[str, list[float]]) -> list[Figure]:
    """Return rows/s beside each peer."""
    return [
        compare(
            f"occurrences emitted, {ours}", "rows/s", rates[ours], peer, rates[peer], goal=goal, note=note
        )
        for ours, peer, goal, note in (
            (ONE, CLAIM, None, "the peer writes no outbox and no next date"),
            (ONE, SQL_ONE, None, "the peer moves no row out of the database"),
            (THREE, SQL_THREE, None, "the same; ours are one process, as a scheduler has them"),
            (THREE, SQL_ONE, "≥ 0.65", "or ≥ 25,000 rows/s; the peer has one connection, ours three"),
        )
    ]
