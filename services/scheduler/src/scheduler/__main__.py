"""`python -m scheduler`: wires planning, emitting and outcomes, and runs them until SIGTERM."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from messaging.consume import Consumer
from messaging.queue import open_queue
from messaging.topology import load_topology
from runtime.aws import open_sqs
from runtime.database import open_pool, ping
from runtime.health import Check, serve_health
from runtime.service import run_service
from runtime.stopping import Stop, run_loops

from scheduler.catch_up import catch_up
from scheduler.due_event import due_priorities
from scheduler.emit_again import emit_again
from scheduler.emit_due import emit_due
from scheduler.on_outcome import on_outcomes
from scheduler.on_user_event import on_user_events
from scheduler.settings import Settings

USER_EVENTS = "scheduler-user-events"
OUTCOMES = "scheduler-outcomes"
SQS_CONNECTIONS = 32


async def serve(settings: Settings, stop: Stop) -> None:
    """Plan, emit and record until `stop` is set."""
    topology = load_topology(Path(settings.topology_file))
    check_after = timedelta(seconds=settings.check_after_seconds)
    offset = timedelta(seconds=settings.clock_offset_seconds)
    async with (
        open_pool("scheduler", settings, stop) as pool,
        open_sqs(settings.aws_region, connections=SQS_CONNECTIONS) as sqs,
    ):
        user_queue, outcome_queue = [
            await open_queue(
                sqs, settings.carillon_env, topology.queues[name], stop, within=settings.start_timeout_seconds
            )
            for name in (USER_EVENTS, OUTCOMES)
        ]
        user_events = Consumer(
            user_queue, partial(on_user_events, pool, due_priorities(topology), offset=offset)
        )
        outcomes = Consumer(outcome_queue, partial(on_outcomes, pool))
        checks: dict[str, Check] = {
            "database": partial(ping, pool),
            USER_EVENTS: user_events.check,
            OUTCOMES: outcomes.check,
        }
        async with serve_health(settings.health_host, settings.health_port, checks, stop):
            await run_loops(
                {
                    "emit due": partial(
                        emit_due,
                        pool,
                        topology,
                        offset=offset,
                        batch=settings.claim_batch,
                        check_after=check_after,
                        claimers=settings.claimers,
                    ),
                    "catch up": partial(
                        catch_up,
                        pool,
                        topology,
                        offset=offset,
                        batch=settings.claim_batch,
                        check_after=check_after,
                        per_second=settings.backlog_per_second,
                    ),
                    "emit again": partial(
                        emit_again,
                        pool,
                        topology,
                        offset=offset,
                        batch=settings.claim_batch,
                        check_after=check_after,
                        give_up_after=settings.give_up_after,
                    ),
                    USER_EVENTS: user_events.run,
                    OUTCOMES: outcomes.run,
                },
                stop,
                drain_within=settings.drain_timeout_seconds,
            )


if __name__ == "__main__":
    run_service("scheduler", Settings, serve)
