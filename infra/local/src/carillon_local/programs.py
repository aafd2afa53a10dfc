"""The programs of a local system: what each is started with, and when it is ready."""

import signal
from collections.abc import Awaitable, Callable, Mapping

import httpx
from msgspec import Struct
from testkit.die_with_parent import dies_with_parent
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.engine import DRAIN_SECONDS, Engine
from testkit.ports import LOOPBACK

from carillon_local.options import Options
from carillon_local.program import Program
from carillon_local.surroundings import broker, inherited, module

DATABASE = "carillon"
ENVIRONMENT = "local"
LOOPBACK_NETWORK = "127.0.0.0/8"  # where our own receiver is
# Each service's Python module, which also names its role in the database.
MODULES = {
    "user-api": "user_api",
    "scheduler": "scheduler",
    "dispatcher": "dispatcher",
    "webhook-worker": "webhook_worker",
}


class Wiring(Struct, frozen=True, kw_only=True):
    """All that the services and the receiver of one system are told; `ports` answer their health checks."""

    options: Options
    postgres: EmbeddedPostgres
    engine: Engine
    http: httpx.AsyncClient
    webhook_url: str
    webhook_secret: str
    encryption_keys: str
    auth: Mapping[str, str]
    clock_offset_seconds: float
    log_format: str
    ports: Mapping[str, int]
    environments: Mapping[str, Mapping[str, str]]


def postgres_program(postgres: EmbeddedPostgres) -> Program:
    """Return PostgreSQL as a program; SIGINT is its fast shutdown."""

    async def ready(pid: int) -> bool:
        return postgres.ready(pid)

    return Program(
        name="postgres",
        command=postgres.command,
        environment=postgres.environment(),
        prepare=postgres.prepare,
        ready=ready,
        stop_signal=signal.SIGINT,
        drain_seconds=15,
    )


def engine_program(engine: Engine, http: httpx.AsyncClient) -> Program:
    """Return the SNS/SQS engine as a program."""
    return Program(
        name="engine",
        command=engine.command,
        environment={**inherited(), "RUST_LOG": "warn"},
        ready=answers(http, engine.health_url),
        drain_seconds=DRAIN_SECONDS,
    )


def receiver_program(wiring: Wiring) -> Program:
    """Return the webhook receiver as a program."""
    own = {
        "RECEIVER_PORT": str(wiring.options.receiver_port),
        "WEBHOOK_SECRET": wiring.webhook_secret,
        "CLOCK_OFFSET_SECONDS": str(wiring.clock_offset_seconds),
        "LOG_FORMAT": wiring.log_format,
    }
    return Program(
        name="receiver",
        command=lambda: dies_with_parent(module("testkit.receiver")),
        environment={**inherited(), **own},
        ready=answers(wiring.http, f"http://{LOOPBACK}:{wiring.options.receiver_port}/health"),
        drain_seconds=5,
    )


def console_program(wiring: Wiring) -> Program:
    """Return the console as a program; it may ask the API what a service may."""
    url = f"http://{LOOPBACK}:{{}}".format
    own = {
        "CONSOLE_PORT": str(wiring.options.console_port),
        "API_URL": url(wiring.options.api_port),
        "METRICS_URLS": ",".join(f"{name}={url(port)}/metrics" for name, port in wiring.ports.items()),
        "LOCAL_DIR": str(wiring.options.local_dir),
    }
    return Program(
        name="console",
        command=lambda: dies_with_parent(module("carillon_local.console")),
        environment={**inherited(), **own, **wiring.auth},
        ready=answers(wiring.http, f"{url(wiring.options.console_port)}/health"),
        drain_seconds=5,
    )


def service_program(name: str, wiring: Wiring) -> Program:
    """Return one of the four services as a program."""
    port = str(wiring.ports[name])
    shared = {
        "CARILLON_ENV": ENVIRONMENT,
        "DATABASE_URL": wiring.postgres.url(f"carillon_{MODULES[name]}", DATABASE),
        "CLOCK_OFFSET_SECONDS": str(wiring.clock_offset_seconds),
        "TOPOLOGY_FILE": str(wiring.options.topology_file),
        "LOG_FORMAT": wiring.log_format,
    }
    encrypting = {"ENCRYPTION_KEYS": wiring.encryption_keys}
    match name:
        case "user-api":
            own = {"API_HOST": LOOPBACK, "API_PORT": port, **encrypting, **wiring.auth}
        case "webhook-worker":
            own = {
                **worker_environment(wiring, port),
                **encrypting,
                "WEBHOOK_URL": wiring.webhook_url,
                "WEBHOOK_SECRET": wiring.webhook_secret,
                "WEBHOOK_ALLOW_NETWORKS": f"{LOOPBACK_NETWORK},{wiring.options.webhook_allow_networks}",
            }
        case _:
            own = worker_environment(wiring, port)
    return Program(
        name=name,
        command=lambda: dies_with_parent(module(MODULES[name])),
        environment={**traced(wiring), **inherited(), **shared, **own, **wiring.environments.get(name, {})},
        ready=answers(wiring.http, f"http://{LOOPBACK}:{port}/health/ready"),
    )


def traced(wiring: Wiring) -> dict[str, str]:
    """Return what leads a service's spans to the console, soon; what is inherited may lead them elsewhere."""
    if wiring.options.console_port is None:
        return {}
    endpoint = f"http://{LOOPBACK}:{wiring.options.console_port}"
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "500"}


def worker_environment(wiring: Wiring, port: str) -> dict[str, str]:
    """Return what every service that speaks to SNS or SQS is told."""
    return {**broker(wiring.engine), "HEALTH_HOST": LOOPBACK, "HEALTH_PORT": port}


def answers(http: httpx.AsyncClient, url: str) -> Callable[[int], Awaitable[bool]]:
    """Return a check that `url` answers 200."""

    async def ready(_pid: int) -> bool:
        try:
            return (await http.get(url, timeout=2)).is_success
        except httpx.HTTPError:
            return False

    return ready
