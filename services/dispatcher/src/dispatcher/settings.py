"""The dispatcher's settings."""

from runtime.settings import Count, Seconds, WorkerSettings


class Settings(WorkerSettings, frozen=True, kw_only=True):
    """What the dispatcher reads from its environment."""

    relay_batch: Count = 500
    # Longer than a round's publishing takes; after a crash its messages wait this long.
    outbox_lease_seconds: Seconds = 30
