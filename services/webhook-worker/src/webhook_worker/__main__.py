"""`python -m webhook_worker`: wires four queues, the POSTs and their retries, and runs until SIGTERM."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from messaging.consume import Consumer
from messaging.queue import open_queue
from messaging.slots import Slots
from messaging.topology import load_topology
from runtime.aws import open_sqs
from runtime.database import open_pool, ping
from runtime.encrypt import read_keys
from runtime.health import Check, serve_health
from runtime.merge import Merge
from runtime.public_address import read_networks
from runtime.service import run_service
from runtime.stopping import Loop, Stop, run_loops
from runtime.telemetry import telemetry

from webhook_worker import __version__
from webhook_worker.background_loops import background_loops
from webhook_worker.breakers import Breakers
from webhook_worker.bulkheads import Bulkheads
from webhook_worker.deliver import Deliverer
from webhook_worker.endpoints import Endpoints
from webhook_worker.follow_default import default_of, following_default
from webhook_worker.on_occurrence_due import accept, on_occurrence_due
from webhook_worker.on_user_deleted import erase_deleted, on_user_deleted
from webhook_worker.open_transport import open_transport
from webhook_worker.post_webhook import post_webhook
from webhook_worker.record_attempts import record_attempts
from webhook_worker.retry_due import retry_due
from webhook_worker.settings import Settings
from webhook_worker.settle_waiting import settle_waiting
from webhook_worker.tls import read_tls
from webhook_worker.trace_attempts import trace_posts

QUEUES = ("webhook-critical", "webhook-high", "webhook-normal", "webhook-low")
USER_DELETED = "webhook-user-deleted"
SQS_CONNECTIONS = 64
# A message waits this long for others to share its transaction; it is on its way to a deadline.
MERGE_SECONDS = 0.005


async def serve(settings: Settings, stop: Stop) -> None:
    """Deliver until `stop` is set, then finish the attempts under way."""
    topology = load_topology(Path(settings.topology_file))
    offset = timedelta(seconds=settings.clock_offset_seconds)
    timeout = timedelta(seconds=settings.webhook_timeout_seconds)
    lease = timedelta(seconds=settings.delivery_lease_seconds)
    transport = open_transport(
        opened=read_networks(settings.webhook_allow_networks),
        connect_timeout=timedelta(seconds=settings.webhook_connect_timeout_seconds),
        timeout=timeout,
        tls=read_tls(settings.webhook_ca_file, settings.webhook_certificate_file),
        proxy=settings.webhook_proxy,
    )
    async with (
        transport,
        telemetry("webhook-worker", __version__, settings.carillon_env),
        open_pool("webhook-worker", settings, stop) as pool,
        open_sqs(settings.aws_region, connections=SQS_CONNECTIONS) as sqs,
    ):
        endpoints = Endpoints(
            pool,
            read_keys(settings.encryption_keys),
            default_of(settings, settings.webhook_url),
            most_time=timeout,
        )
        take = partial(accept, pool, topology, endpoints.default_id, offset, lease)
        record = Merge(partial(record_attempts, pool, topology, offset))
        breakers = Breakers()
        post = partial(post_webhook, transport)
        deliverer = Deliverer(breakers.watch(trace_posts(post)), record.put)
        bulkheads = Bulkheads(pool, endpoints, breakers, deliverer.start)
        every = settings.endpoints_refresh_seconds
        loops: dict[str, Loop] = {
            "read endpoints": partial(endpoints.keep, every_seconds=every),
            "retry due": partial(retry_due, pool, bulkheads, Slots(settings.retry_slots), lease=lease),
            "erase deleted": partial(erase_deleted, pool, topology, offset, every_seconds=every),
            "settle waiting": partial(
                settle_waiting, pool, topology, endpoints, offset=offset, every_seconds=every
            ),
            **background_loops(pool, sqs, endpoints, post, topology, settings),
        }
        checks: dict[str, Check] = {"database": partial(ping, pool)}
        open_one = partial(
            open_queue, sqs, settings.carillon_env, stop=stop, within=settings.start_timeout_seconds
        )
        consumers = {
            USER_DELETED: Consumer(
                await open_one(topology.queues[USER_DELETED]), partial(on_user_deleted, pool)
            )
        }
        for name in QUEUES:
            queue = topology.queues[name]
            slots = Slots(queue.concurrency)
            handle = partial(on_occurrence_due, take, bulkheads.admit, slots)
            consumers[name] = Consumer(
                await open_one(queue), handle, slots=slots, merge_seconds=MERGE_SECONDS
            )
        loops |= {name: consumer.run for name, consumer in consumers.items()}
        loops |= {f"count {name}": consumer.count for name, consumer in consumers.items()}
        checks |= {name: consumer.check for name, consumer in consumers.items()}
        async with (
            following_default(endpoints, settings, stop) as following,
            serve_health(settings.health_host, settings.health_port, checks, stop),
        ):
            await run_loops(loops | following, stop, drain_within=settings.drain_timeout_seconds)
            await deliverer.finish(within=settings.drain_timeout_seconds)


if __name__ == "__main__":
    run_service("webhook-worker", Settings, serve)
