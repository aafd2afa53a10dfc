"""The `standardwebhooks` package of npm verifies what the running system delivers."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from carillon_local.options import read_options
from carillon_local.system import LocalSystem
from testkit.receiver import new_secret
from testkit.wait import eventually

from tests.running_system import Carillon, soon

pytestmark = [pytest.mark.judge, pytest.mark.timeout(180)]

VERIFY = Path(__file__).with_name("verify.js")


@pytest_asyncio.fixture
async def node() -> AsyncIterator[tuple[str, str]]:
    """Run the Node receiver; give its URL and the secret it verifies with."""
    secret = new_secret()
    program = shutil.which("node")
    assert program, "Node is not installed; tests/judges/run installs it"
    process = await asyncio.create_subprocess_exec(
        program, str(VERIFY), secret, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        port = (await process.stdout.readline()).decode().strip()
        yield f"http://127.0.0.1:{port}/", secret
    finally:
        process.terminate()
        await process.wait()


async def test_node_verifies_live_deliveries(node: tuple[str, str], tmp_path: Path) -> None:
    url, secret = node
    options = read_options({"LOCAL_DIR": str(tmp_path), "WEBHOOK_URL": url, "WEBHOOK_SECRET": secret})
    async with (
        LocalSystem(options, fresh=True, durable=False) as system,
        Carillon.to(system) as carillon,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        due_at = soon(2)
        users = {await carillon.create_user_due_at(due_at, name=name) for name in ("Zoë", "李", "O'Neill")}

        judged = await verdicts(http, url, len(users))

    assert {each.get("userId") for each in judged if each["verified"]} == users
    assert len(judged) == len(users)


async def test_node_verifies_before_during_and_after_the_rotation_of_a_secret(
    node: tuple[str, str], tmp_path: Path
) -> None:
    url, _ = node
    options = read_options({"LOCAL_DIR": str(tmp_path)})
    async with (
        LocalSystem(options, fresh=True, durable=False) as system,
        Carillon.to(system) as carillon,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        created = (await carillon.api.post("/endpoint", json={"url": url})).json()
        await http.put(url, content=created["secret"])
        await carillon.create_user_due_at(soon(2))
        before = (await verdicts(http, url, 1))[-1]

        rotated = await carillon.api.post(f"/endpoint/{created['id']}/rotate-secret")
        await http.put(url, content=rotated.json()["secret"])
        await carillon.create_user_due_at(soon(2))
        during = (await verdicts(http, url, 2))[-1]

        await carillon.fetch("UPDATE delivery.endpoints SET previous_secret_until = now()")
        # Longer than the worker goes on with what it has read.
        await carillon.create_user_due_at(soon(5))
        after = (await verdicts(http, url, 3))[-1]

    # By a stranger's secret, by the first, by the second.
    assert [before["by"], during["by"], after["by"]] == [
        [False, True],
        [False, True, True],
        [False, False, True],
    ]


async def verdicts(http: httpx.AsyncClient, url: str, count: int) -> list[dict[str, Any]]:
    """Return what Node made of the webhooks, once so many have come."""

    async def enough() -> list[dict[str, Any]]:
        came: list[dict[str, Any]] = (await http.get(url)).json()
        return came if len(came) >= count else []

    return await eventually(enough, within=20, message="Node heard too few")
