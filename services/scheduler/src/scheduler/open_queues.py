"""The queues that the scheduler consumes, found at the endpoint."""

from messaging.queue import OpenQueue, open_queue
from messaging.topology import Topology
from runtime.stopping import Stop
from types_aiobotocore_sqs import SQSClient

from scheduler.settings import Settings

USER_EVENTS = "scheduler-user-events"
OUTCOMES = "scheduler-outcomes"
AUDIT = "scheduler-audit"
SQS_CONNECTIONS = 32


async def open_queues(
    sqs: SQSClient, settings: Settings, topology: Topology, stop: Stop
) -> tuple[OpenQueue, OpenQueue, OpenQueue]:
    """Find the queues of users' and occasions' events, of outcomes, of the audit. Raises StartFailedError."""
    within = settings.start_timeout_seconds
    user_events, outcomes, audit = [
        await open_queue(sqs, settings.carillon_env, topology.queues[name], stop, within=within)
        for name in (USER_EVENTS, OUTCOMES, AUDIT)
    ]
    return user_events, outcomes, audit
