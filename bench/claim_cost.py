"""What emitting costs besides time: statements, and memory."""

from statistics import median

from msgspec import Struct, field

from bench.figures import Figure, percentile, rounded


class Watch(Struct, kw_only=True):
    """What Carillon's passes cost: seconds and, once warm, statements a batch.

    Of each pass, how many MB were resident once warm, and how many more at its end and at its peak.
    """

    statements: int = 0
    statements_a_batch: set[int] = field(default_factory=set)
    batch_seconds: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    grown: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)

    def on_statement(self) -> None:
        """Count a statement."""
        self.statements += 1


def cost(watch: Watch, *, batch: int, small_batch: int, sent_by_small: int) -> list[Figure]:
    """Return what a batch costs besides its share of a second."""
    figures = [
        Figure(
            what=f"one batch, p{percent}",
            unit="ms",
            carillon=rounded(percentile(watch.batch_seconds, percent) * 1000),
            goal=goal,
        )
        for percent, goal in ((50, None), (99, "< 1000"))
    ]
    figures.append(
        Figure(
            what="statements a batch",
            unit="sent",
            carillon=max(watch.statements_a_batch),
            goal="constant",
            note=f"at most, for {batch} rows; {sent_by_small} for {small_batch} rows: no query per row",
        )
    )
    if watch.warm:
        figures += [
            Figure(what="memory once warm", unit="MB", carillon=rounded(median(watch.warm))),
            Figure(
                what="memory gained by the end", unit="MB", carillon=rounded(max(watch.grown)), goal="flat"
            ),
            Figure(
                what="memory gained at its peak", unit="MB", carillon=rounded(max(watch.peak)), goal="flat"
            ),
        ]
    return figures
