"""The dispatcher as it is deployed: one process, told everything by its environment."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from domain.priority import Priority
from messaging.envelope import Message
from messaging.outbox import append
from testkit.broker import Broker, open_broker
from testkit.engine import Engine
from testkit.fresh_database import FreshDatabase
from testkit.ports import LOOPBACK
from testkit.wait import eventually

Environment = dict[str, str]
Process = asyncio.subprocess.Process


def message(body: str) -> Message:
    return Message(
        event_id=uuid4(),
        event_type="UserDeleted",
        priority=Priority.NORMAL,
        group_id="a user",
        attributes={"eventType": "UserDeleted", "priority": "normal"},
        body=body,
    )


async def append_all(database: FreshDatabase, bodies: list[str]) -> None:
    await append(await database.connect("carillon_scheduler"), [message(body) for body in bodies])


async def count(database: FreshDatabase) -> int:
    admin = await database.connect()
    return int(await admin.fetchval("SELECT count(*) FROM outbox.messages"))


async def some_are_leased(database: FreshDatabase) -> bool:
    admin = await database.connect()
    return bool(await admin.fetchval("SELECT count(lease_token) > 0 FROM outbox.messages"))


async def is_empty(database: FreshDatabase) -> bool:
    return await count(database) == 0


async def ask(environment: Environment, path: str) -> tuple[int, Any]:
    url = f"http://{LOOPBACK}:{environment['HEALTH_PORT']}/health/{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.json()


async def is_ready(environment: Environment) -> bool:
    try:
        return await ask(environment, "ready") == (200, {"status": "ready"})
    except aiohttp.ClientConnectionError:
        return False


@asynccontextmanager
async def dispatching(environment: Environment) -> AsyncIterator[Process]:
    """Run a dispatcher, ready; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "dispatcher"),
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await eventually(lambda: is_ready(environment), within=20)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ends(process: Process) -> tuple[int | None, bytes]:
    assert process.stderr is not None
    async with asyncio.timeout(20):
        errors = await process.stderr.read()
        await process.wait()
    return process.returncode, errors


async def receive(broker: Broker, number: int) -> list[str]:
    url, received = await broker.queue_url("test"), list[str]()
    async with asyncio.timeout(10):
        while len(received) < number:
            answer = await broker.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            received += [each["Body"] for each in answer.get("Messages", [])]
    return sorted(received)


async def test_it_relays_answers_for_its_health_and_drains_when_told_to_stop(
    database: FreshDatabase, engine: Engine, one_queue_file: Path, environment: Environment
) -> None:
    bodies = [f"{number:03}" for number in range(100)]
    async with (
        open_broker(engine, one_queue_file, "process") as broker,
        dispatching({**environment, **engine.environment()}) as process,
    ):
        assert await ask(environment, "live") == (200, {"status": "live"})

        await append_all(database, ["at once"])
        assert await receive(broker, 1) == ["at once"]

        await append_all(database, bodies)
        await eventually(lambda: is_empty(database))
        process.send_signal(signal.SIGTERM)

        assert await ends(process) == (0, b"")
        assert await receive(broker, 100) == bodies


async def test_a_dispatcher_that_is_killed_while_it_publishes_loses_nothing(
    database: FreshDatabase, own_engine: Engine, one_queue_file: Path, environment: Environment
) -> None:
    bodies = [f"{number:02}" for number in range(20)]
    short = {**environment, **own_engine.environment(), "OUTBOX_LEASE_SECONDS": "1"}
    async with open_broker(own_engine, one_queue_file, "process") as broker:
        async with dispatching(short) as process:
            freeze(own_engine)
            await append_all(database, bodies)
            await eventually(lambda: some_are_leased(database))
            process.kill()
        own_engine.kill()
        own_engine.start()

        assert await count(database) == 20
        async with dispatching(short):
            await eventually(lambda: is_empty(database))
        assert await receive(broker, 20) == bodies


async def test_a_broker_that_answers_no_more_does_not_keep_it_from_stopping(
    database: FreshDatabase, own_engine: Engine, one_queue_file: Path, environment: Environment
) -> None:
    impatient = {**environment, **own_engine.environment(), "DRAIN_TIMEOUT_SECONDS": "0.5"}
    async with open_broker(own_engine, one_queue_file, "process"):
        async with dispatching(impatient) as process:
            freeze(own_engine)
            await append_all(database, ["kept"])
            await eventually(lambda: some_are_leased(database))
            process.send_signal(signal.SIGTERM)
            status, health = await ask(environment, "ready")
            ended = await ends(process)
        own_engine.kill()
        own_engine.start()

    assert (status, health["failing"]) == (503, {"draining": "the service was told to stop"})
    assert ended == (0, b"")
    assert await count(database) == 1


def freeze(engine: Engine) -> None:
    """Stop the engine where it is: it takes connections and answers none of them."""
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGSTOP)
