"""One round, for cron and for a Lambda function: what is due, what waits, what went unanswered."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
from messaging.consume_once import consume_once
from messaging.queue import OpenQueue
from messaging.topology import Topology, load_topology
from runtime.aws import open_sqs
from runtime.database import Pool, open_pool
from runtime.service import FailedError
from runtime.stopping import Stop, describe
from runtime.telemetry import telemetry
from runtime.waiting import StartFailedError, StoppedError

from scheduler import __version__
from scheduler.check_topology import check_topology
from scheduler.emit_again import emit_unanswered
from scheduler.emit_due import emit_batch
from scheduler.forget_old import forget_old
from scheduler.keep_audit import keep_audit
from scheduler.keep_history import keep_history
from scheduler.on_outcome import on_outcomes
from scheduler.on_user_event import on_user_events
from scheduler.open_queues import SQS_CONNECTIONS, open_queues
from scheduler.read_clock import LATE_AFTER, Moment, read_clock
from scheduler.settings import Settings
from scheduler.unpark_resumed import unpark_batch

log = structlog.get_logger()

A_MINUTE = timedelta(minutes=1)  # how often a round is played, at the most


async def once(settings: Settings, stop: Stop) -> None:
    """Do one round by the same functions as the loops of the process that stays; `stop` cuts it short.

    Raises FailedError with the reason when a part of it could not be done: what was done by then is done,
    and the next round does the rest.
    """
    topology = load_topology(Path(settings.topology_file))
    check_topology(topology)
    async with (
        telemetry("scheduler", __version__, settings.carillon_env),
        open_pool("scheduler", settings, stop) as pool,
        open_sqs(settings.aws_region, connections=SQS_CONNECTIONS) as sqs,
    ):
        queues = await open_queues(sqs, settings, topology, stop)
        try:
            await play_round(settings, topology, pool, queues, stop)
        except (StartFailedError, StoppedError):
            raise
        except Exception as error:
            raise FailedError(f"the round was not finished: {describe(error)}") from error


async def play_round(
    settings: Settings,
    topology: Topology,
    pool: Pool,
    queues: tuple[OpenQueue, OpenQueue, OpenQueue],
    stop: Stop,
) -> None:
    """Emit what is due already, plan and record what waits, emit what that brought, and of the backlog."""
    offset = timedelta(seconds=settings.clock_offset_seconds)
    user_queue, outcome_queue, audit_queue = queues
    await until_none(partial(unpark_batch, pool, batch=settings.claim_batch), stop)
    begun = await read_clock(pool, offset=offset)
    emit = partial(emit_on_time, settings, topology, pool, stop, since=begun.now - LATE_AFTER)
    emitted = await emit()
    planned = await consume_once(user_queue, partial(on_user_events, pool, topology, offset=offset), stop)
    answers = await consume_once(outcome_queue, partial(on_outcomes, pool), stop)
    await consume_once(audit_queue, partial(keep_audit, pool), stop)
    emitted += await emit()
    emitted += await emit_backlog(settings, topology, pool, stop, begun)
    ask_again = partial(
        emit_unanswered,
        pool,
        topology,
        offset=offset,
        batch=settings.claim_batch,
        check_after=timedelta(seconds=settings.check_after_seconds),
        give_up_after=settings.give_up_after,
    )
    again = await until_none(ask_again, stop)
    await keep_history(pool, months_kept=settings.history_months_kept)
    await forget_old(pool, stop, offset=offset)
    log.info("round.ended", emitted=emitted, user_events=planned, answers=answers, emitted_again=again)


async def emit_on_time(
    settings: Settings, topology: Topology, pool: Pool, stop: Stop, *, since: datetime
) -> int:
    """Emit what has fallen due `since` then and nobody else holds, in batches; return how many."""

    async def emit_due_now() -> int:
        moment = await read_clock(pool, offset=timedelta(seconds=settings.clock_offset_seconds))
        return await emit_batch(
            pool,
            topology,
            now=moment.now,
            batch=settings.claim_batch,
            check_after=timedelta(seconds=settings.check_after_seconds),
            returned_at=moment.returned_at,
            due_within=(since, moment.now),
        )

    return await until_none(emit_due_now, stop)


async def emit_backlog(settings: Settings, topology: Topology, pool: Pool, stop: Stop, begun: Moment) -> int:
    """Emit of what had waited for over a minute when the round was `begun`; return how many.

    At most what the process that stays emits in the time since the last sign of life, and in a minute.
    """
    away = begun.now - (begun.last_seen_at or begun.now)
    left = int(settings.backlog_per_second * max(away, A_MINUTE).total_seconds()) or None
    emitted = 0
    while not stop.is_set() and emitted != left:
        batch = settings.claim_batch if left is None else min(settings.claim_batch, left - emitted)
        claimed = await emit_batch(
            pool,
            topology,
            now=begun.now,
            batch=batch,
            check_after=timedelta(seconds=settings.check_after_seconds),
            returned_at=begun.returned_at,
            due_within=(None, begun.now - LATE_AFTER),
        )
        if not claimed:
            break
        emitted += claimed
    return emitted


async def until_none(emit: Callable[[], Awaitable[int]], stop: Stop) -> int:
    """Emit batches until one is empty, or `stop` is set; return how many there were in all."""
    emitted = 0
    while not stop.is_set() and (batch := await emit()):
        emitted += batch
    return emitted
