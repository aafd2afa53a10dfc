import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from domain.events import UserDeleted
from messaging.kit import DatabaseInbox, consume, listen, open_inbox
from messaging.queue import OpenQueue
from messaging.topology import queue_name
from runtime.waiting import StartFailedError
from structlog.testing import capture_logs
from testkit.broker import Broker
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.engine import REGION
from testkit.fault_proxy import FaultProxy
from testkit.fresh_database import FreshDatabase
from testkit.traffic import is_empty, running, send
from testkit.wait import eventually


@pytest_asyncio.fixture
async def own_database(postgres_server: EmbeddedPostgres) -> AsyncIterator[FreshDatabase]:
    """Give this test an empty database, as a stranger has."""
    async with FreshDatabase(postgres_server, f"own_{secrets.token_hex(6)}", template="template1") as fresh:
        connection = await fresh.connect()
        await connection.execute("CREATE TABLE greeted (user_id uuid)")
        yield fresh


async def greet(inbox: DatabaseInbox, user_id: UUID) -> None:
    await inbox.connection.execute("INSERT INTO greeted VALUES ($1)", user_id)


async def greeted(database: FreshDatabase) -> list[UUID]:
    connection = await database.connect()
    return [row["user_id"] for row in await connection.fetch("SELECT user_id FROM greeted ORDER BY 1")]


@asynccontextmanager
async def greeting(broker: Broker, url: str, *, last: UUID | None = None) -> AsyncIterator[None]:
    """Run a consumer that greets once each user whose event comes; `last` ends it."""
    stop = asyncio.Event()

    async def run() -> None:
        name = queue_name(broker.environment, "test")
        async with (
            open_inbox(url, "greeter") as inbox,
            listen(name, region=REGION, stop=stop) as listening,
        ):
            async for event in consume(listening, types=[UserDeleted], inbox=inbox):
                await greet(inbox, event.user_id)
                if event.user_id == last:
                    stop.set()

    async with running(run, stop):
        yield


async def test_what_was_done_before_a_restart_is_not_done_again(
    one_queue: Broker, queue: OpenQueue, own_database: FreshDatabase
) -> None:
    first, second = sorted([uuid4(), uuid4()])
    await send(one_queue, [first])
    async with greeting(one_queue, own_database.admin_url, last=first):
        await eventually(lambda: is_empty(queue))

    await send(one_queue, [first, second])
    async with greeting(one_queue, own_database.admin_url):
        await eventually(lambda: is_empty(queue))

    assert await greeted(own_database) == [first, second]


async def test_what_a_body_wrote_before_it_raised_is_rolled_back_with_the_events_id(
    own_database: FreshDatabase,
) -> None:
    user_id = uuid4()

    async def fail(inbox: DatabaseInbox) -> None:
        async with inbox.once(user_id) as is_new:
            assert is_new
            await greet(inbox, user_id)
            raise ValueError

    async with open_inbox(own_database.admin_url, "greeter") as inbox:
        with pytest.raises(ValueError):  # noqa: PT011 (our own, above)
            await fail(inbox)
        assert await greeted(own_database) == []
        async with inbox.once(user_id) as is_new:
            assert is_new


async def test_there_is_a_connection_only_while_an_event_is_in_hand(own_database: FreshDatabase) -> None:
    async with open_inbox(own_database.admin_url, "greeter") as inbox:
        with pytest.raises(LookupError, match="only while an event is in hand"):
            await greet(inbox, uuid4())


async def test_several_processes_make_the_table_at_once(own_database: FreshDatabase) -> None:
    async def open_and_close() -> None:
        async with open_inbox(own_database.admin_url, "greeter", within=0.1):
            pass

    await asyncio.gather(*(open_and_close() for _ in range(4)))


async def test_in_carillons_own_database_the_table_is_there_and_its_maker_needs_no_rights(
    database: FreshDatabase,
) -> None:
    async with (
        open_inbox(database.url("carillon_scheduler"), "greeter") as inbox,
        inbox.once(uuid4()) as is_new,
    ):
        assert is_new


async def test_while_the_inboxs_database_is_away_events_wait_and_each_is_done_once(
    one_queue: Broker, queue: OpenQueue, own_database: FreshDatabase
) -> None:
    first, second = sorted([uuid4(), uuid4()])
    server = own_database.server
    async with FaultProxy(server.port) as proxy:
        through = own_database.admin_url.replace(f":{server.port}/", f":{proxy.port}/")
        with capture_logs() as logs:
            async with greeting(one_queue, through):
                await send(one_queue, [first])
                await eventually(lambda: is_empty(queue))
                await proxy.leave()
                await send(one_queue, [second])
                await eventually(lambda: [line for line in logs if line["event"] == "event.waits"])
                await proxy.come_back()
                await eventually(lambda: is_empty(queue))

    assert await greeted(own_database) == [first, second]


async def test_an_event_whose_commit_was_lost_comes_again(
    one_queue: Broker, queue: OpenQueue, own_database: FreshDatabase
) -> None:
    user_id, stop, tries = uuid4(), asyncio.Event(), 0
    await send(one_queue, [user_id])
    admin = await own_database.connect()

    with capture_logs() as logs:
        async with (
            open_inbox(own_database.admin_url, "greeter") as inbox,
            listen(queue_name(one_queue.environment, "test"), region=REGION, stop=stop) as listening,
        ):
            async for event in consume(listening, types=[UserDeleted], inbox=inbox):
                tries += 1
                await greet(inbox, event.user_id)
                if tries == 1:
                    backend = await inbox.connection.fetchval("SELECT pg_backend_pid()")
                    await admin.execute("SELECT pg_terminate_backend($1)", backend)
                else:
                    stop.set()

    assert tries == 2
    assert [line["event"] for line in logs if "commit" in line["event"]] == ["event.not_committed"]
    assert await greeted(own_database) == [user_id]
    assert await is_empty(queue)


async def test_a_database_that_does_not_come_is_named() -> None:
    with pytest.raises(StartFailedError, match="the inbox's database did not come"):
        async with open_inbox("postgres://nobody@127.0.0.1:1/none", "greeter", within=0.2):
            pass


async def test_ids_are_forgotten_after_35_days(own_database: FreshDatabase) -> None:
    old = uuid4()
    async with open_inbox(own_database.admin_url, "greeter"):
        connection: asyncpg.Connection = await own_database.connect()
        await connection.execute(
            "INSERT INTO inbox.messages VALUES ('greeter', $1, now() - interval '36 days')", old
        )
    async with open_inbox(own_database.admin_url, "greeter") as inbox, inbox.once(old) as is_new:
        assert is_new
