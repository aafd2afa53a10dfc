import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from messaging.queue import OpenQueue, open_queue
from msgspec import structs
from testkit.broker import Broker, open_broker
from testkit.engine import Engine
from testkit.repository import find_topology

# One queue whose messages come back after a second, and go to the dead-letter queue after two receives.
ONE_QUEUE = """
version: 1
defaults: {visibilitySeconds: 1, retentionSeconds: 3600, maxReceives: 2, batch: 10, concurrency: 10}
deadLetter: {retentionSeconds: 3600}
eventTypes:
  UserDeleted: {topic: user-deleted, priority: normal, schemaVersion: 1}
  BirthdayDue: {topic: birthday-due, priority: critical, schemaVersion: 1}
queues:
  test: {subscriptions: [{topics: [user-deleted, birthday-due]}]}
"""


@pytest.fixture
def contracts(pytestconfig: pytest.Config) -> Path:
    """Return the folder of the contracts."""
    return find_topology(pytestconfig.rootpath).parent


@pytest.fixture
def one_queue_file(contracts: Path, tmp_path: Path) -> Path:
    """Write a topology with one queue, `test`."""
    shutil.copy(contracts / "topology.schema.json", tmp_path)
    file = tmp_path / "topology.yaml"
    file.write_text(ONE_QUEUE)
    return file


@pytest_asyncio.fixture
async def one_queue(engine: Engine, one_queue_file: Path) -> AsyncIterator[Broker]:
    """Give this test one queue of its own."""
    async with open_broker(engine, one_queue_file, f"t{secrets.token_hex(4)}") as broker:
        yield broker


@pytest_asyncio.fixture
async def hasty_queue(one_queue: Broker) -> OpenQueue:
    """Open that queue as a consumer does."""
    return await open_queue(
        one_queue.sqs,
        one_queue.environment,
        one_queue.topology.queues["test"],
        asyncio.Event(),
        within=10,
    )


@pytest_asyncio.fixture
async def queue(hasty_queue: OpenQueue) -> OpenQueue:
    """Open that queue, with a visibility that no busy machine outlasts."""
    await hasty_queue.sqs.set_queue_attributes(
        QueueUrl=hasty_queue.url, Attributes={"VisibilityTimeout": "30"}
    )
    return structs.replace(hasty_queue, queue=structs.replace(hasty_queue.queue, visibility_seconds=30))
