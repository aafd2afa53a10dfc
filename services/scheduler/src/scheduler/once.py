"""One round, for cron and for a Lambda function: what is due, what waits, what went unanswered."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
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
from scheduler.keep_history import keep_history
from scheduler.on_outcome import on_outcomes
from scheduler.on_user_event import on_user_events
from scheduler.open_queues import SQS_CONNECTIONS, open_queues
from scheduler.read_clock import read_clock
from scheduler.settings import Settings
from scheduler.unpark_resumed import unpark_batch

log = structlog.get_logger()


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
    settings: Settings, topology: Topology, pool: Pool, queues: tuple[OpenQueue, OpenQueue], stop: Stop
) -> None:
    """Emit first what is due already, plan and record what waits, and emit what that brought."""
    offset = timedelta(seconds=settings.clock_offset_seconds)
    user_queue, outcome_queue = queues
    await until_none(partial(unpark_batch, pool, batch=settings.claim_batch), stop)
    emit = partial(emit_all_due, settings, topology, pool, stop)
    emitted = await emit()
    planned = await consume_once(user_queue, partial(on_user_events, pool, topology, offset=offset), stop)
    answers = await consume_once(outcome_queue, partial(on_outcomes, pool), stop)
    emitted += await emit()
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


async def emit_all_due(settings: Settings, topology: Topology, pool: Pool, stop: Stop) -> int:
    """Emit what is due and nobody else holds, the backlog too, in batches; return how many."""

    async def emit_due_now() -> int:
        moment = await read_clock(pool, offset=timedelta(seconds=settings.clock_offset_seconds))
        return await emit_batch(
            pool,
            topology,
            now=moment.now,
            batch=settings.claim_batch,
            check_after=timedelta(seconds=settings.check_after_seconds),
            returned_at=moment.returned_at,
        )

    return await until_none(emit_due_now, stop)


async def until_none(emit: Callable[[], Awaitable[int]], stop: Stop) -> int:
    """Emit batches until one is empty, or `stop` is set; return how many there were in all."""
    emitted = 0
    while not stop.is_set() and (batch := await emit()):
        emitted += batch
    return emitted
