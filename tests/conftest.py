"""The whole system, real processes and all, for the promises to its users."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from carillon_local.options import read_options
from carillon_local.system import LocalSystem
from testkit.otlp_sink import OtlpSink
from testkit.receiver import Receiver, new_secret
from testkit.repository import find_topology

from tests.running_system import SHORT_LEASES, Carillon, traced_to, with_short_visibility


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def partner() -> AsyncIterator[Receiver]:
    """Listen for the webhooks of the running system."""
    async with Receiver(secret=new_secret()) as listening:
        yield listening


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def traces() -> AsyncIterator[OtlpSink]:
    """Collect the traces and metrics of the running system."""
    async with OtlpSink() as collecting:
        yield collecting


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def carillon(
    partner: Receiver, traces: OtlpSink, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> AsyncIterator[Carillon]:
    """Start the whole system once, with short leases; webhooks go to the partner, traces to the sink."""
    folder = tmp_path_factory.mktemp("carillon")
    options = read_options(
        {
            "LOCAL_DIR": str(folder / "local"),
            "WEBHOOK_URL": partner.url,
            "WEBHOOK_SECRET": partner.secret,
            "TOPOLOGY_FILE": str(with_short_visibility(find_topology(pytestconfig.rootpath), folder)),
        }
    )
    async with (
        LocalSystem(
            options, fresh=True, durable=False, environments=traced_to(traces.endpoint, SHORT_LEASES)
        ) as system,
        Carillon.to(system) as running,
    ):
        yield running
