import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from runtime.database import Pool, open_pool
from runtime.settings import ServiceSettings
from testkit.fresh_database import FreshDatabase
from testkit.ports import free_port
from testkit.repository import find_topology

# One queue that hears everything, as any subscriber may.
ONE_QUEUE = """
version: 1
defaults: {visibilitySeconds: 30, retentionSeconds: 3600, maxReceives: 5, batch: 10, concurrency: 10}
deadLetter: {retentionSeconds: 3600}
eventTypes:
  UserDeleted: {topic: user-deleted, priority: normal, schemaVersion: 1}
queues:
  test: {subscriptions: [{topics: [user-deleted]}]}
"""


@pytest_asyncio.fixture
async def pool(database: FreshDatabase) -> AsyncIterator[Pool]:
    """Open a pool as the dispatcher does, under its role."""
    settings = ServiceSettings(
        carillon_env="test", database_url=database.url("carillon_dispatcher"), topology_file=""
    )
    async with open_pool("dispatcher", settings, asyncio.Event()) as opened:
        yield opened


@pytest.fixture
def one_queue_file(pytestconfig: pytest.Config, tmp_path: Path) -> Path:
    """Write a topology with one event type and one queue, `test`."""
    shutil.copy(find_topology(pytestconfig.rootpath).with_name("topology.schema.json"), tmp_path)
    file = tmp_path / "topology.yaml"
    file.write_text(ONE_QUEUE)
    return file


@pytest.fixture
def environment(database: FreshDatabase, one_queue_file: Path) -> dict[str, str]:
    """Return the environment of a dispatcher, but for where the broker is."""
    return {
        "PATH": os.environ["PATH"],
        "CARILLON_ENV": "process",
        "DATABASE_URL": database.url("carillon_dispatcher"),
        "TOPOLOGY_FILE": str(one_queue_file),
        "HEALTH_PORT": str(free_port()),
        # Whatever is opened and not closed is said on standard error.
        "PYTHONWARNINGS": "error",
    }
