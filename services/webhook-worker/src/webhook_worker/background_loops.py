"""What a worker does beside delivering: replays, dead letters, tests of endpoints, upkeep, counting."""

from datetime import timedelta
from functools import partial

from messaging.topology import Topology
from runtime.database import Pool
from runtime.stopping import Loop
from types_aiobotocore_sqs import SQSClient

from webhook_worker.count_open import count_open
from webhook_worker.drain_dead_letters import drain_dead_letters, keep_dead_letters
from webhook_worker.endpoints import Endpoints
from webhook_worker.maintain import maintain
from webhook_worker.make_endpoint_tests import Post, make_endpoint_tests
from webhook_worker.redrive_dead_letters import redrive_dead_letters
from webhook_worker.replay_settled import replay_settled
from webhook_worker.settings import Settings


def background_loops(
    pool: Pool, sqs: SQSClient, endpoints: Endpoints, post: Post, topology: Topology, settings: Settings
) -> dict[str, Loop]:
    """Wire the loops that no webhook waits for."""
    offset = timedelta(seconds=settings.clock_offset_seconds)
    return {
        "count open": partial(count_open, pool, topology.queues.keys()),
        "replay": partial(replay_settled, pool, per_second=settings.replay_per_second),
        "drain dead letters": partial(
            drain_dead_letters,
            sqs,
            settings.carillon_env,
            topology.queues.values(),
            partial(keep_dead_letters, pool, topology, offset),
            every_seconds=settings.dead_letters_every_seconds,
        ),
        "redrive dead letters": partial(redrive_dead_letters, pool, sqs, settings.carillon_env),
        "test endpoints": partial(make_endpoint_tests, pool, endpoints, post, offset),
        "maintain": partial(maintain, pool, months_kept=settings.delivery_months_kept),
    }
