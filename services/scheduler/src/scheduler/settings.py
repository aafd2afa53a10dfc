"""The scheduler's settings."""

from runtime.settings import Count, Seconds, WorkerSettings


class Settings(WorkerSettings, frozen=True, kw_only=True):
    """What the scheduler reads from its environment."""

    claim_batch: Count = 500
    # How long an emitted occurrence may go unanswered before it is emitted again, under the same id.
    check_after_seconds: Seconds = 900
    # Whole months before this one; older ones of history are dropped.
    history_months_kept: Count = 13
