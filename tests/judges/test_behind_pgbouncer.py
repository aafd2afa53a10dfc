"""Debian's PgBouncer in transaction mode: no session is anybody's, and everything works as without it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest
import pytest_asyncio
from carillon_local.options import read_options
from carillon_local.programs import DATABASE, MODULES
from carillon_local.system import LocalSystem
from domain.events import OccurrenceCompleted
from messaging.consume import Received
from messaging.topology import Topology
from msgspec import structs
from runtime.database import Connection, Pool, make_pool
from runtime.settings import ServiceSettings
from scheduler.due_event import due_priorities
from scheduler.emit_due import emit_batch
from scheduler.forget_old import forget_old
from scheduler.keep_history import keep_history
from scheduler.on_outcome import on_outcomes
from scheduler.on_user_event import on_user_events
from scheduler.replan import replan
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.pgbouncer import PgBouncer
from testkit.ports import free_port
from testkit.receiver import Receiver
from testkit.wait import eventually
from uuid_utils.compat import uuid7

from tests.running_system import Carillon, posts_for, soon

pytestmark = [pytest.mark.judge, pytest.mark.timeout(180)]

ROLES = [f"carillon_{module}" for module in MODULES.values()]
SESSIONS = 2
RING = datetime(2026, 12, 10, 9, tzinfo=UTC)
OPEN_SESSIONS = """
SELECT usename, count(*) FROM pg_stat_activity WHERE datname = $1 AND usename = ANY($2) GROUP BY 1
"""


@pytest.fixture
def bouncer() -> Iterator[PgBouncer]:
    """Start it before a PostgreSQL that is yet to come, with fewer sessions than the services have pools."""
    with PgBouncer(postgres_port=free_port(), roles=ROLES, pool_size=SESSIONS) as started:
        yield started
