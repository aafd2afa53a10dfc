"""The scheduler's settings."""

from typing import Annotated

from msgspec import Meta
from runtime.settings import Count, Seconds, WorkerSettings

from scheduler.emit_again import GIVE_UP_AFTER


class Settings(WorkerSettings, frozen=True, kw_only=True):
    """What the scheduler reads from its environment."""

    # The most that a claim takes; how many it does take follows from how long that lasts.
    claim_batch: Count = 500
    # How many claims go on side by side while more is due than one takes.
    claimers: Count = 3
    # How fast what fell due while the system was down is emitted, by each process; 0: as fast as it goes.
    backlog_per_second: Annotated[int, Meta(ge=0)] = 2000
    # How long an emitted occurrence may go unanswered before it is emitted again, under the same id.
    check_after_seconds: Seconds = 900
    # How often in a row before it is given up.
    give_up_after: Annotated[int, Meta(ge=1, le=10_000)] = GIVE_UP_AFTER
    # Whole months before this one; older ones of history are dropped.
    history_months_kept: Count = 13
