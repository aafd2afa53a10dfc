"""`python -m dispatcher`: wires the relay and runs it until SIGTERM."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from messaging.publish import publish_all
from messaging.topology import load_topology, topic_arn
from runtime.aws import open_sns
from runtime.database import open_pool, ping
from runtime.health import serve_health
from runtime.service import run_service
from runtime.stopping import Stop, run_loops

from dispatcher.relay_outbox import relay_outbox
from dispatcher.settings import Settings

# Two rounds under way: one publishes while the other is at the database.
RELAYS = 2
CALLS_AT_ONCE = 8


async def serve(settings: Settings, stop: Stop) -> None:
    """Relay the outbox until `stop` is set."""
    topology = load_topology(Path(settings.topology_file))
    arns = {
        name: topic_arn(settings.aws_region, settings.aws_account_id, settings.carillon_env, event_type.topic)
        for name, event_type in topology.event_types.items()
    }
    async with (
        open_pool("dispatcher", settings, stop) as pool,
        open_sns(settings.aws_region, connections=RELAYS * CALLS_AT_ONCE) as sns,
        serve_health(settings.health_host, settings.health_port, {"database": partial(ping, pool)}, stop),
    ):
        relay = partial(
            relay_outbox,
            pool,
            partial(publish_all, sns, arns, at_once=CALLS_AT_ONCE),
            batch=settings.relay_batch,
            lease=timedelta(seconds=settings.outbox_lease_seconds),
        )
        await run_loops(
            {f"relay outbox {number}": relay for number in range(RELAYS)},
            stop,
            drain_within=settings.drain_timeout_seconds,
        )


if __name__ == "__main__":
    run_service("dispatcher", Settings, serve)
