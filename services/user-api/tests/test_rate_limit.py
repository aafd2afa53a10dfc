import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import asyncpg
import httpx
import pytest
from messaging.topology import load_topology
from runtime.encrypt import new_key, read_keys
from testkit.fresh_database import FreshDatabase
from testkit.repository import find_topology
from testkit.wait import eventually
from user_api import token_leases, token_share
from user_api.context import Context
from user_api.token_leases import SQL, TokenLeases
from user_api.token_share import Limit, Share

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]

Leases = Callable[[int], AbstractAsyncContextManager[TokenLeases]]

# So slow that no token comes by itself, however long a test takes: buckets' clocks are set back instead.
STILL = "0.00001"
PASSED = "UPDATE users.rate_limits SET updated_at = updated_at - interval '1000000 s'"


@pytest.fixture
def leases(database: FreshDatabase, pytestconfig: pytest.Config) -> Leases:
    """Make what a process holds, of a limit that no time refills."""

    @asynccontextmanager
    async def make(burst: int) -> AsyncIterator[TokenLeases]:
        topology = load_topology(find_topology(pytestconfig.rootpath))
        async with asyncpg.create_pool(database.url("carillon_user_api"), min_size=1, max_size=2) as pool:
            context = Context(
                pool=pool, topology=topology, clock_offset=timedelta(), keys=read_keys(new_key("test"))
            )
            yield TokenLeases(context, Limit(float(STILL), burst))

    return make


async def _answers(sessions: list[httpx.AsyncClient], each: int) -> list[httpx.Response]:
    return await asyncio.gather(*(session.get("/nothing") for session in sessions for _ in range(each)))


async def test_two_instances_together_admit_the_burst_and_then_what_time_brings(
    database: FreshDatabase, environment: Environment, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_share, "ASK_AGAIN_AT_MOST_SECONDS", 0.05)
    url = database.url("carillon_user_api")
    limits = {"RATE_LIMIT_PER_SECOND": STILL, "RATE_LIMIT_BURST": "100"}
    async with running(environment(url, **limits)) as one, running(environment(url, **limits)) as other:
        admin = await database.connect()
        admitted, refused = 0, []

        async def all_used(total: int) -> bool:
            nonlocal admitted
            for answer in await _answers([one, other], 20):
                if answer.status_code == 429:
                    refused.append(answer)
                else:
                    admitted += 1
            return admitted >= total and not await admin.fetchval(
                "SELECT floor(tokens) FROM users.rate_limits WHERE length(client) = 32"
            )

        await eventually(lambda: all_used(100), within=30)
        await eventually(lambda: all_used(100), within=30)  # and no more than that, however often they ask
        assert admitted == 100

        await admin.execute(PASSED)
        await eventually(lambda: all_used(110), within=30)
        await eventually(lambda: all_used(110), within=30)
        assert admitted == 110

        assert refused[-1].headers["Content-Type"] == "application/problem+json"
        assert refused[-1].json()["type"] == "urn:carillon:problem:rate-limited"
        assert refused[-1].headers["Retry-After"] == "100000"
        assert refused[-1].headers["RateLimit-Policy"] == '"default";q=100;w=10000000'
        assert refused[-1].headers["RateLimit"] == '"default";r=0;t=100000'
        # Probes go on, and so does the document that tells how to use the API.
        for path in ("/health/live", "/health", "/openapi.json"):
            answer = await one.get(path)
            assert answer.status_code == 200
            assert "RateLimit" not in answer.headers
        assert (await one.options("/user")).status_code == 204


async def test_few_requests_cost_no_query_and_many_cost_one_for_many(
    database: FreshDatabase, environment: Environment, running: Running
) -> None:
    admin = await database.connect()
    await admin.execute(
        """
        CREATE TABLE users.leases (granted integer);
        CREATE FUNCTION users.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        AS $$ BEGIN INSERT INTO users.leases VALUES (NEW.granted); RETURN NULL; END $$;
        CREATE TRIGGER note AFTER INSERT OR UPDATE ON users.rate_limits
        FOR EACH ROW EXECUTE FUNCTION users.note();
        """
    )
    async with running(environment(database.url("carillon_user_api"), RATE_LIMIT_PER_SECOND=STILL)) as api:
        for used in range(1, 301):
            answer = await api.get("/nothing")

            assert answer.status_code == 404
            assert answer.headers["RateLimit"] == f'"default";r={1000 - used};t={used}00000'
            if used == 4:
                assert await admin.fetchval("SELECT count(*) FROM users.leases") == 0
    [(leases, granted)] = await admin.fetch("SELECT count(*), sum(granted) FROM users.leases")

    # A lease is 10 to 110 here, asked for when half of what was held is left: so at most 220 are held.
    assert 3 <= leases <= 45
    assert 300 <= granted <= 520


async def test_a_lease_refills_by_time_up_to_the_burst_and_leaves_half_of_what_is_short(
    database: FreshDatabase,
) -> None:
    connection = await database.connect("carillon_user_api")

    async def leased(wanted: int) -> tuple[int, int]:
        row = await connection.fetchrow(SQL["lease_tokens"], b"ada", wanted, 0.001, 100)
        assert row is not None
        return row["granted"], row["left"]

    async def after(seconds: int) -> None:
        await connection.execute(
            "UPDATE users.rate_limits SET updated_at = updated_at - make_interval(secs => $1)", float(seconds)
        )

    assert await leased(40) == (40, 60)
    assert await leased(30) == (30, 30)
    assert [(await leased(40))[0] for _ in range(6)] == [15, 8, 4, 2, 1, 0]
    await after(10_000)
    assert await leased(3) == (3, 7)
    await after(10_000_000)
    assert await leased(1) == (1, 99)
    # Another process whose clock reading is older: time does not run backwards, and nothing is taken.
    await after(-10_000)
    assert await leased(1) == (1, 98)


def test_a_share_follows_the_pace_and_forgets_what_it_held() -> None:
    share = Share(Limit(500, 1000), now=0)
    assert (share.tokens, share.left, share.wanted(0.1)) == (10, 990, 20)

    share.tokens -= 10
    share.receive(20, 980, 0.1)
    assert (share.tokens, share.left, share.low) == (10, 980, 5)

    share.tokens -= 10
    assert share.wanted(0.2) == 20  # 100 a second
    assert share.wanted(20) == 10  # hardly any
    share.tokens -= 100
    assert share.wanted(0.2) == 100  # more than may be

    share.receive(100, 500, 0.2)
    assert not share.is_over(2.1)
    assert share.is_over(2.2)
    share.begin(2.2)
    assert (share.tokens, share.left) == (10, 990)


async def test_without_a_database_a_process_admits_the_rate_by_itself(leases: Leases) -> None:
    async with leases(100) as away:
        pass
    admitted = [left is not None for left in [await away.take("ada") for _ in range(50)]]

    # A hundredth of the burst, and then as much as a lease; and then what time brings.
    assert 2 <= sum(admitted) <= 11
    assert admitted == sorted(admitted, reverse=True)


async def test_only_so_many_clients_are_kept_in_mind(leases: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_leases, "MOST_CLIENTS", 2)
    async with leases(1000) as kept:
        left = [await kept.take(client) for client in ("ada", "grace", "ada", "edsger", "ada", "grace")]

    # Whoever asked longest ago was forgotten, and begins anew.
    assert left == [999, 999, 998, 999, 997, 999]


async def test_a_request_that_is_cut_off_takes_nothing_from_those_who_wait_with_it(leases: Leases) -> None:
    async with leases(50) as shared:
        waiting = [asyncio.create_task(shared.take("ada")) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()

        assert await asyncio.gather(*waiting[1:]) == [49, 48]
