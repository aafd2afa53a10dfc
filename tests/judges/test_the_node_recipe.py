"""What docs/webhooks.md tells partners to write in Node, run as it stands on the page."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from standardwebhooks import Webhook
from testkit.ports import LOOPBACK, free_port
from testkit.receiver import new_secret
from testkit.wait import eventually

pytestmark = pytest.mark.judge

SECRET = new_secret()
BODY = '{"type": "birthday.due", "message": "Hey, Zoë it\'s your birthday"}'
# Where Node finds the package beside it.
PACKAGES = Path(__file__).with_name("node_modules")

Sent = Callable[..., dict[str, str]]


@pytest_asyncio.fixture
async def node(pytestconfig: pytest.Config) -> AsyncIterator[tuple[str, asyncio.StreamReader]]:
    """Run the recipe; give its URL and what it says."""
    page = (pytestconfig.rootpath / "docs" / "webhooks.md").read_text()
    [recipe] = re.findall(r"^```js\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    file = PACKAGES / f"recipe-{uuid4().hex}.mjs"
    file.write_text(recipe)
    program, port = shutil.which("node"), free_port()
    assert program, "Node is not installed; tests/judges/run installs it"
    process = await asyncio.create_subprocess_exec(
        program,
        str(file),
        env={**os.environ, "CARILLON_SECRET": SECRET, "PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        url = f"http://{LOOPBACK}:{port}/"

        async def is_up() -> bool:
            with suppress(httpx.ConnectError):
                async with httpx.AsyncClient(trust_env=False) as http:
                    return (await http.post(url)).status_code == 401
            return False

        await eventually(is_up, message="the recipe does not listen")
        assert process.stdout is not None
        yield url, process.stdout
    finally:
        process.kill()
        await process.wait()
        file.unlink()


def signed(secret: str, *, event_id: str = "", at: datetime | None = None) -> dict[str, str]:
    """Give the headers of an attempt."""
    id_, made = event_id or str(uuid4()), at or datetime.now(UTC)
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(int(made.timestamp())),
        "webhook-signature": Webhook(secret).sign(id_, made, BODY),
    }


async def test_the_recipe_for_node_takes_what_is_signed_acts_once_and_refuses_the_rest(
    node: tuple[str, asyncio.StreamReader],
) -> None:
    url, said = node
    once = str(uuid4())
    attempts = (
        (signed(SECRET, event_id=once), BODY, 204),
        (signed(SECRET, event_id=once), BODY, 204),
        (signed(SECRET), BODY.replace("Zo", "Jo"), 401),
        (signed(new_secret()), BODY, 401),
        (signed(SECRET, at=datetime.now(UTC) - timedelta(minutes=6)), BODY, 401),
        (signed(SECRET), BODY, 204),
    )

    async with httpx.AsyncClient(trust_env=False) as http:
        answered = [
            (await http.post(url, headers=headers, content=body.encode())).status_code
            for headers, body, _ in attempts
        ]

    assert answered == [status for _, _, status in attempts]
    async with asyncio.timeout(10):
        lines = [(await said.readline()).decode() for _ in range(2)]
    assert lines == ["Hey, Zoë it's your birthday\n"] * 2
