"""The queues that a worker consumes: one a priority, and deleted users."""

from functools import partial

from messaging.consume import Consumer
from messaging.queue import open_queue
from messaging.slots import Slots
from runtime.stopping import Stop

from webhook_worker.on_occurrence_due import on_occurrence_due
from webhook_worker.on_user_deleted import on_user_deleted
from webhook_worker.settings import Settings
from webhook_worker.stage import Stage

DUE = ("webhook-critical", "webhook-high", "webhook-normal", "webhook-low")
USER_DELETED = "webhook-user-deleted"
# A message waits this long for others to share its transaction; it is on its way to a deadline.
MERGE_SECONDS = 0.005


async def open_due(stage: Stage, settings: Settings, stop: Stop) -> dict[str, Consumer]:
    """Find the queues of what falls due, each with slots of its own. Raises StartFailedError."""
    consumers = {}
    for name in DUE:
        queue = stage.topology.queues[name]
        slots = Slots(queue.concurrency)
        handle = partial(on_occurrence_due, stage.accept, stage.bulkheads.admit, slots)
        within = settings.start_timeout_seconds
        found = await open_queue(stage.sqs, settings.carillon_env, queue, stop, within=within)
        consumers[name] = Consumer(found, handle, slots=slots, merge_seconds=MERGE_SECONDS)
    return consumers


async def open_user_deleted(stage: Stage, settings: Settings, stop: Stop) -> dict[str, Consumer]:
    """Find the queue of deleted users. Raises StartFailedError."""
    queue = stage.topology.queues[USER_DELETED]
    within = settings.start_timeout_seconds
    found = await open_queue(stage.sqs, settings.carillon_env, queue, stop, within=within)
    return {USER_DELETED: Consumer(found, partial(on_user_deleted, stage.pool))}
