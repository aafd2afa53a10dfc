"""The `standardwebhooks` package of npm verifies what the running system delivers."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

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

        async def verdicts() -> list[dict[str, str]]:
            came: list[dict[str, str]] = (await http.get(url)).json()
            return came if len(came) >= len(users) else []

        judged = await eventually(verdicts, within=20, message="Node heard too few")

    assert {each.get("userId") for each in judged if each["verified"]} == users
    assert len(judged) == len(users)
