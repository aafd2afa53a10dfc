"""What the demo measured, and whether it is what was promised: every birthday delivered once, well signed."""

from collections.abc import Sequence
from math import ceil

from msgspec import Struct


class Result(Struct, frozen=True, kw_only=True):
    """Counts over the demo's users; `lags_ms` is due → arrival, in ms, of each that was delivered."""

    users: int
    missing: tuple[str, ...]
    duplicates: int
    badly_signed: int
    lags_ms: tuple[float, ...]

    @property
    def reasons(self) -> list[str]:
        """Why it is not what was promised; empty when it is."""
        reasons = []
        if self.missing:
            reasons.append(f"not delivered: {', '.join(self.missing)}")
        if self.duplicates:
            reasons.append(f"{self.duplicates} delivered more than once")
        if self.badly_signed:
            reasons.append(f"{self.badly_signed} with a bad signature")
        return reasons

    def summary(self) -> str:
        """Return the demo's last line."""
        delivered = self.users - len(self.missing)
        lags = f"p50 {percentile(self.lags_ms, 50)} ms  p99 {percentile(self.lags_ms, 99)} ms"
        return f"delivered {delivered}/{self.users}  duplicates {self.duplicates}  {lags}"


def percentile(values: Sequence[float], percent: int) -> str:
    """Return the nearest-rank percentile as whole text, `-` of nothing."""
    if not values:
        return "-"
    return f"{sorted(values)[ceil(len(values) * percent / 100) - 1]:.0f}"
