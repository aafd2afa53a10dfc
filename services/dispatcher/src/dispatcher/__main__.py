"""`python -m dispatcher`: wires the relay and runs it until SIGTERM."""

from datetime import timedelta
from functools import partial
from pathlib import Path

from messaging.publish import publish_all
from messaging.topics import open_topics
from messaging.topology import load_topology
from runtime.aws import open_sns
from runtime.database import open_pool, ping
from runtime.health import serve_health
from runtime.service import run_service
from runtime.stopping import Loop, Stop, run_loops
from runtime.telemetry import telemetry

from dispatcher import __version__
from dispatcher.count_outbox import count_outbox
from dispatcher.relay_outbox import relay_outbox
from dispatcher.settings import Settings

# Two rounds under way: one publishes while the other is at the database.
RELAYS = 2
CALLS_AT_ONCE = 8


async def serve(settings: Settings, stop: Stop) -> None:
    """Relay the outbox until `stop` is set."""
    topology = load_topology(Path(settings.topology_file))
    async with (
        telemetry("dispatcher", __version__, settings.carillon_env),
        open_pool("dispatcher", settings, stop) as pool,
        open_sns(settings.aws_region, connections=RELAYS * CALLS_AT_ONCE) as sns,
    ):
        arns = await open_topics(
            sns,
            topology,
            region=settings.aws_region,
            account_id=settings.aws_account_id,
            environment=settings.carillon_env,
            stop=stop,
            within=settings.start_timeout_seconds,
        )
        relay = partial(
            relay_outbox,
            pool,
            partial(publish_all, sns, arns, at_once=CALLS_AT_ONCE),
            batch=settings.relay_batch,
            lease=timedelta(seconds=settings.outbox_lease_seconds),
        )
        loops: dict[str, Loop] = {f"relay outbox {number}": relay for number in range(RELAYS)}
        loops["count outbox"] = partial(count_outbox, pool)
        checks = {"database": partial(ping, pool)}
        async with serve_health(settings.health_host, settings.health_port, checks, stop):
            await run_loops(loops, stop, drain_within=settings.drain_timeout_seconds)


if __name__ == "__main__":
    run_service("dispatcher", Settings, serve)
