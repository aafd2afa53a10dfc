"""`api`: POST /user and GET /user/{id} beside a bare Litestar handler with one INSERT, one SELECT."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from statistics import median

from msgspec import Struct
from runtime.database import Pool
from testkit.embedded_postgres import EmbeddedPostgres

from bench.api_requests import gets, posts
from bench.api_servers import CONNECTIONS, Outcome, Server, bare_api, trace_sink, user_api
from bench.figures import Figure, Report, alternate, compare
from bench.scratch import SQL, TEMPLATE, open_pool, scratch_postgres

OURS, TRACED, SAMPLED = "", ", all traced", ", one in ten traced"
BARE, LEAN = "bare Litestar", "bare Litestar, lean pool"
GOALS = {OURS: "≥ 0.75", TRACED: "≥ 0.60", SAMPLED: "≥ 0.60"}
SAMPLER = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}
WARM_UP = 500

Ask = Callable[["Contender"], Awaitable[Outcome]]


class Contender(Struct, frozen=True, kw_only=True):
    """A server, and the statements that name its table."""

    server: Server
    empty: str
    ids: str


async def run(*, quick: bool) -> Report:
    """Send 3,000 requests a round (500 when quick) of each kind to each server."""
    requests, rounds = (500, 1) if quick else (3000, 5)
    async with scratch_postgres() as postgres, open_pool(postgres.url(database=TEMPLATE)) as admin:
        await admin.execute(SQL["create_people"])
        async with contenders(postgres) as servers:
            for contender in servers.values():
                contender.server.take(posts(WARM_UP))
            # Creating comes first: what it leaves is what is read.
            figures = [
                *await measure("users created", rounds, servers, partial(create, admin, requests)),
                *await measure("users read", rounds, servers, partial(read, admin)),
            ]
    return Report(figures=figures, sizes={"requests": requests, "rounds": rounds, "connections": CONNECTIONS})


@asynccontextmanager
async def contenders(postgres: EmbeddedPostgres) -> AsyncIterator[dict[str, Contender]]:
    """Run all of them side by side, on one PostgreSQL; those that are not asked do nothing."""
    url = postgres.url("carillon_user_api", TEMPLATE)
    with ExitStack() as stack:
        export = {"OTEL_EXPORTER_OTLP_ENDPOINT": stack.enter_context(trace_sink())}
        ours = stack.enter_context(user_api(url, {}))
        traced = stack.enter_context(user_api(url, export))
        sampled = stack.enter_context(user_api(url, {**export, **SAMPLER}))
        bare = stack.enter_context(bare_api("asyncpg", url))
        lean = stack.enter_context(bare_api("lean", url))
        users = partial(Contender, empty=SQL["empty_users"], ids=SQL["user_ids"])
        people = partial(Contender, empty=SQL["empty_people"], ids=SQL["person_ids"])
        yield {
            OURS: users(server=ours),
            TRACED: users(server=traced),
            SAMPLED: users(server=sampled),
            BARE: people(server=bare),
            LEAN: people(server=lean),
        }


async def create(admin: Pool, requests: int, contender: Contender) -> Outcome:
    """Create that many users in an empty table."""
    await admin.execute(contender.empty)
    await admin.execute(SQL["checkpoint"])
    outcome = contender.server.take(posts(requests))
    assert outcome.load.statuses == {"201": requests}, outcome.load.statuses
    return outcome


async def read(admin: Pool, contender: Contender) -> Outcome:
    """Read every user once, in random order."""
    ids = [str(row[0]) for row in await admin.fetch(contender.ids)]
    outcome = contender.server.take(gets(ids))
    assert outcome.load.statuses == {"200": len(ids)}, outcome.load.statuses
    return outcome


async def measure(what: str, rounds: int, servers: dict[str, Contender], ask: Ask) -> list[Figure]:
    """Ask all of them in turn; compare."""
    outcomes: dict[str, list[Outcome]] = {name: [] for name in servers}

    async def asked(name: str) -> float:
        outcome = await ask(servers[name])
        outcomes[name].append(outcome)
        return outcome.requests / outcome.load.seconds

    rates = await alternate(rounds, {name: partial(asked, name) for name in servers})
    figures = []
    for ours in (OURS, TRACED, SAMPLED):
        label = f"{what}{ours}"
        for peer in (BARE, LEAN):
            goal, note = (GOALS[ours], spent(outcomes, ours, peer)) if peer == BARE else (None, None)
            figures.append(compare(label, "req/s", rates[ours], peer, rates[peer], goal=goal, note=note))
        figures.append(compare(f"{label}: p99", "ms", p99(outcomes[ours]), BARE, p99(outcomes[BARE])))
    return figures


def p99(outcomes: list[Outcome]) -> list[float]:
    """Return the rounds' 99th percentiles, in ms."""
    return [outcome.load.p99 for outcome in outcomes]


def spent(outcomes: dict[str, list[Outcome]], ours: str, peer: str) -> str | None:
    """Say what a request cost each server, which the machine's other work changes little."""
    costs = [
        median([(outcome.server_cpu or 0) / outcome.requests * 1000 for outcome in outcomes[name]])
        for name in (ours, peer, LEAN)
    ]
    client = max(outcome.load.cpu_seconds / outcome.load.seconds for outcome in outcomes[peer])
    if not all(costs):
        return None
    return (
        f"CPU of the server {costs[0]:.2f} ms a request, the peer's {costs[1]:.2f}, lean {costs[2]:.2f}; "
        f"client ≤ {client:.0%} busy"
    )
