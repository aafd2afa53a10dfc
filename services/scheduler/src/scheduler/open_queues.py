"""The queues that the scheduler consumes, found at the endpoint."""

from messaging.queue import OpenQueue, open_queue
from messaging.topology import Topology
from runtime.stopping import Stop
from types_aiobotocore_sqs import SQSClient

from scheduler.settings import Settings

USER_EVENTS = "scheduler-user-events"
OUTCOMES = "scheduler-outcomes"
SQS_CONNECTIONS = 32


async def open_queues(
    sqs: SQSClient, settings: Settings, topology: Topology, stop: Stop
) -> tuple[OpenQueue, OpenQueue]:
    """Find the queue of users' and occasions' events, and that of outcomes. Raises StartFailedError."""
    within = settings.start_timeout_seconds
    user_events, outcomes = [
        await open_queue(sqs, settings.carillon_env, topology.queues[name], stop, within=within)
        for name in (USER_EVENTS, OUTCOMES)
    ]
    return user_events, outcomes
