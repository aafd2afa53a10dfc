"""The whole system, real processes and all, for the promises to its users."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from carillon_local.options import read_options
from carillon_local.system import LocalSystem
from testkit.receiver import Receiver, new_secret
from testkit.repository import find_topology

from tests.running_system import SHORT_LEASES, Carillon, with_short_visibility


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def carillon(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> AsyncIterator[Carillon]:
    """Start the whole system once, with short leases; its webhooks come to a receiver of ours."""
    folder = tmp_path_factory.mktemp("carillon")
    topology_file = with_short_visibility(find_topology(pytestconfig.rootpath), folder)
    async with Receiver(secret=new_secret()) as receiver:
        options = read_options(
            {
                "LOCAL_DIR": str(folder / "local"),
                "WEBHOOK_URL": receiver.url,
                "WEBHOOK_SECRET": receiver.secret,
                "TOPOLOGY_FILE": str(topology_file),
            }
        )
        async with LocalSystem(options, fresh=True, durable=False, environments=SHORT_LEASES) as system:
            running = Carillon(system, receiver, topology_file)
            try:
                yield running
            finally:
                await running.api.aclose()
