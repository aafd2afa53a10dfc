"""The AWS SDK of npm receives from the running system, by the words of docs/consumers.md."""

import shutil
from pathlib import Path

import pytest
from testkit import build
from testkit.repository import find_topology

from tests.running_system import Carillon
from tests.strangers import add_queues, blocks, consumer, queues_of

pytestmark = [pytest.mark.judge, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="session")]

HERE = Path(__file__).parent  # where node_modules is
PAGE = find_topology(HERE).parents[1] / "docs/consumers.md"


async def test_the_pages_node_consumer_receives(carillon: Carillon, tmp_path: Path) -> None:
    program = shutil.which("node")
    assert program, "Node is not installed; tests/judges/run installs it"
    await add_queues(carillon, tmp_path, {"node": queues_of(PAGE)["greeter"]})
    [code] = blocks(PAGE, "js")
    script = ("--input-type=module", "--eval", code)

    async with consumer(carillon, program, *script, cwd=HERE, QUEUE="carillon-local-node") as node:
        user_id = (
            await carillon.create_user(
                firstName="Ada", lastName="Lovelace", dateOfBirth="1815-12-10", timezone="America/New_York"
            )
        )["id"]
        body = build.notification_body(at="now", message="It works in Node")
        answer = await carillon.api.post(f"/user/{user_id}/occasion", json=body)
        assert answer.status_code == 201, answer.text

        await node.has_printed("carillon.NotificationDue.v1 It works in Node")
