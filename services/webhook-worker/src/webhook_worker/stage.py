"""The delivery stage, wired: what it accepts goes out at once, and each attempt is recorded."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from messaging.slots import Slots
from messaging.topology import Topology, load_topology
from msgspec import Struct
from runtime.aws import open_sqs
from runtime.database import Pool, open_pool
from runtime.encrypt import read_keys
from runtime.merge import Merge
from runtime.public_address import read_networks
from runtime.stopping import Loop, Stop
from runtime.telemetry import telemetry
from types_aiobotocore_sqs import SQSClient

from webhook_worker import __version__
from webhook_worker.background_loops import background_loops
from webhook_worker.breakers import Breakers
from webhook_worker.bulkheads import Bulkheads
from webhook_worker.deliver import Deliverer
from webhook_worker.endpoints import Endpoints
from webhook_worker.follow_default import default_of, following_default
from webhook_worker.on_occurrence_due import Accept, accept
from webhook_worker.on_user_deleted import erase_deleted
from webhook_worker.open_transport import open_transport
from webhook_worker.post_webhook import post_webhook
from webhook_worker.record_attempts import GATHER_SECONDS, record_attempts
from webhook_worker.retry_due import retry_due
from webhook_worker.settings import Settings
from webhook_worker.settle_waiting import settle_waiting
from webhook_worker.tls import read_tls
from webhook_worker.trace_attempts import trace_posts

SQS_CONNECTIONS = 64


class Stage(Struct, frozen=True, kw_only=True, eq=False):
    """What consumers hand over to: `accept` commits, `bulkheads` admit, `deliverer` has attempts under way.

    `loops` is the rest of a worker's work, to be run beside.
    """

    pool: Pool
    sqs: SQSClient
    topology: Topology
    accept: Accept
    bulkheads: Bulkheads
    deliverer: Deliverer
    loops: Mapping[str, Loop]


@asynccontextmanager
async def open_stage(settings: Settings, stop: Stop) -> AsyncIterator[Stage]:
    """Open all that delivering needs. Raises StartFailedError for what does not come in time."""
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
        breakers = Breakers()
        post = partial(post_webhook, transport)
        record = Merge(partial(record_attempts, pool, topology, offset), gather_seconds=GATHER_SECONDS)
        deliverer = Deliverer(breakers.watch(trace_posts(post)), record.put)
        bulkheads = Bulkheads(pool, endpoints, breakers, deliverer.start)
        every = settings.endpoints_refresh_seconds
        async with following_default(endpoints, settings, stop) as following:
            yield Stage(
                pool=pool,
                sqs=sqs,
                topology=topology,
                accept=partial(accept, pool, topology, endpoints.default_id, offset, lease),
                bulkheads=bulkheads,
                deliverer=deliverer,
                loops={
                    "read endpoints": partial(endpoints.keep, every_seconds=every),
                    "retry due": partial(
                        retry_due, pool, bulkheads, Slots(settings.retry_slots), lease=lease
                    ),
                    "erase deleted": partial(erase_deleted, pool, topology, offset, every_seconds=every),
                    "settle waiting": partial(
                        settle_waiting, pool, topology, endpoints, offset=offset, every_seconds=every
                    ),
                    **background_loops(pool, sqs, endpoints, post, topology, settings),
                    **following,
                },
            )
