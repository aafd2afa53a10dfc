"""`python -m webhook_worker`: wires the queues, the delivery stage and its loops, and runs until SIGTERM."""

from functools import partial

from runtime.database import ping
from runtime.health import Check, serve_health
from runtime.service import run_service
from runtime.stopping import Loop, Stop, run_loops

from webhook_worker.consumers import open_due, open_user_deleted
from webhook_worker.settings import Settings
from webhook_worker.stage import open_stage


async def serve(settings: Settings, stop: Stop) -> None:
    """Deliver until `stop` is set, then finish the attempts under way."""
    async with open_stage(settings, stop) as stage:
        consumers = {
            **await open_user_deleted(stage, settings, stop),
            **await open_due(stage, settings, stop),
        }
        loops: dict[str, Loop] = {
            **stage.loops,
            **{name: consumer.run for name, consumer in consumers.items()},
            **{f"count {name}": consumer.count for name, consumer in consumers.items()},
        }
        checks: dict[str, Check] = {
            "database": partial(ping, stage.pool),
            **{name: consumer.check for name, consumer in consumers.items()},
        }
        async with serve_health(settings.health_host, settings.health_port, checks, stop):
            await run_loops(loops, stop, drain_within=settings.drain_timeout_seconds)
            await stage.deliverer.finish(within=settings.drain_timeout_seconds)


if __name__ == "__main__":
    run_service("webhook-worker", Settings, serve)
