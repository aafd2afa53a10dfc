"""`python -m scheduler`: wires planning, emitting and outcomes, and runs them until SIGTERM; see --help."""

import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

from messaging.consume import Consumer
from messaging.topology import load_topology
from runtime.aws import open_sqs
from runtime.database import open_pool, ping
from runtime.health import Check, serve_health
from runtime.service import run_service
from runtime.stopping import Stop, run_loops
from runtime.telemetry import telemetry

from scheduler import __version__, report_replan
from scheduler.catch_up import catch_up
from scheduler.check_topology import check_topology
from scheduler.count_open import count_open
from scheduler.emit_again import emit_again
from scheduler.emit_due import emit_due
from scheduler.keep_audit import keep_audit
from scheduler.maintain import maintain
from scheduler.on_outcome import on_outcomes
from scheduler.on_user_event import on_user_events
from scheduler.once import once
from scheduler.open_queues import AUDIT, OUTCOMES, SQS_CONNECTIONS, USER_EVENTS, open_queues
from scheduler.read_command import read_command
from scheduler.replan import warn_of_other_release
from scheduler.settings import Settings
from scheduler.unpark_resumed import unpark_resumed

# Nobody waits for an entry: many share a commit.
AUDIT_MERGE_SECONDS = 0.25


async def serve(settings: Settings, stop: Stop) -> None:
    """Plan, emit and record until `stop` is set."""
    topology = load_topology(Path(settings.topology_file))
    check_topology(topology)
    check_after = timedelta(seconds=settings.check_after_seconds)
    offset = timedelta(seconds=settings.clock_offset_seconds)
    async with (
        telemetry("scheduler", __version__, settings.carillon_env),
        open_pool("scheduler", settings, stop) as pool,
        open_sqs(settings.aws_region, connections=SQS_CONNECTIONS) as sqs,
    ):
        user_queue, outcome_queue, audit_queue = await open_queues(sqs, settings, topology, stop)
        user_events = Consumer(user_queue, partial(on_user_events, pool, topology, offset=offset))
        outcomes = Consumer(outcome_queue, partial(on_outcomes, pool))
        audit = Consumer(audit_queue, partial(keep_audit, pool), merge_seconds=AUDIT_MERGE_SECONDS)
        checks: dict[str, Check] = {
            "database": partial(ping, pool),
            USER_EVENTS: user_events.check,
            OUTCOMES: outcomes.check,
            AUDIT: audit.check,
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
                    "unpark resumed": partial(unpark_resumed, pool, batch=settings.claim_batch),
                    "count open": partial(count_open, pool),
                    f"count {USER_EVENTS}": user_events.count,
                    f"count {OUTCOMES}": outcomes.count,
                    f"count {AUDIT}": audit.count,
                    "maintain": partial(
                        maintain, pool, offset=offset, months_kept=settings.history_months_kept
                    ),
                    "tz database": partial(warn_of_other_release, pool),
                    USER_EVENTS: user_events.run,
                    OUTCOMES: outcomes.run,
                    AUDIT: audit.run,
                },
                stop,
                drain_within=settings.drain_timeout_seconds,
            )


if __name__ == "__main__":
    asked = read_command(sys.argv[1:])
    match asked.command:
        case "replan":
            report_replan.main(dry_run=asked.dry_run)
        case "once":
            run_service("scheduler", Settings, once)
        case _:
            run_service("scheduler", Settings, serve)
