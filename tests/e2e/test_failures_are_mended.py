import json
from typing import Any

import pytest
from messaging.envelope import Outgoing, compose
from messaging.topology import load_topology
from runtime.aws import open_sqs
from testkit import build
from testkit.engine import REGION
from testkit.wait import eventually
from uuid_utils.compat import uuid7

from tests.running_system import Carillon, posts_for, registered, soon

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def items(carillon: Carillon, path: str, **query: str) -> list[dict[str, Any]]:
    answer = await carillon.api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_what_failed_is_listed_with_its_attempts_and_sent_again_under_its_webhook_id(
    carillon: Carillon,
) -> None:
    async with registered(carillon) as (endpoint_id, partner):
        user_id = await carillon.create_user_due_at(soon(2))
        partner.reply_with([404], user_id=user_id)
        await eventually(lambda: carillon.finished({user_id}), within=25, message="no outcome was recorded")

        [failed] = await items(carillon, "/delivery", userId=user_id, status="failed")
        read = (await carillon.api.get(f"/delivery/{failed['id']}")).json()
        assert [attempt["status"] for attempt in read["attempts"]] == [404]
        assert failed["endpointId"] == endpoint_id
        retried = await carillon.api.post(f"/delivery/{failed['id']}/retry")
        assert (retried.status_code, retried.json()["status"]) == (202, "pending")

        await eventually(lambda: len(posts_for(partner, {user_id})) == 2, message="it was not sent again")
        first, again = posts_for(partner, {user_id})
        assert first.webhook_id == again.webhook_id == failed["eventId"]
        assert first.body == again.body
        await eventually(
            lambda: items(carillon, "/delivery", userId=user_id, status="delivered"),
            message="it was not delivered",
        )
        assert await carillon.finished({user_id}) == {"FAILED": 1}

        asked = {"endpointId": endpoint_id, "since": failed["createdAt"], "status": "any"}
        replay = await carillon.api.post("/delivery/retry", json=asked)
        assert (replay.status_code, replay.json()["count"]) == (202, 1)
        await eventually(lambda: len(posts_for(partner, {user_id})) == 3, message="it was not replayed")
        progress = (await carillon.api.get(replay.headers["Location"])).json()
        assert (progress["reopened"], progress["finishedAt"] is None) == (1, False)


async def test_an_endpoint_is_tested_by_the_way_that_webhooks_take(carillon: Carillon) -> None:
    async with registered(carillon, enabled=False) as (endpoint_id, partner):
        tested = await carillon.api.post(f"/endpoint/{endpoint_id}/test", timeout=30)

        assert (tested.status_code, tested.json()["status"]) == (200, 204), tested.text
        [post] = partner.deliveries
        assert (post.valid, post.body["type"], post.body["endpointId"]) == (
            True,
            "endpoint.test",
            endpoint_id,
        )


async def test_a_poison_message_is_seen_as_a_dead_letter_and_what_was_mended_is_redriven(
    carillon: Carillon, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in carillon.system.engine.environment().items():
        monkeypatch.setenv(name, value)

    async with registered(carillon) as (_, partner), open_sqs(REGION, connections=1) as sqs:

        async def send(queue: str, body: str) -> None:
            url = (await sqs.get_queue_url(QueueName=f"carillon-local-{queue}"))["QueueUrl"]
            await sqs.send_message(QueueUrl=url, MessageBody=body)

        # One that nobody can read; and one that a worker before us could not, and put where such things go.
        poison = json.dumps({"specversion": "1.0", "type": "someone.elses.v1"})
        await send("webhook-critical", poison)
        event = build.birthday_due()
        out = Outgoing(event_id=uuid7(), subject=event.user_id, event=event)
        topology = load_topology(carillon.system.options.topology_file)
        [message] = compose(topology, "scheduler", event.emitted_at, [out])
        await send("webhook-low-dlq", message.body)

        async def unreadable() -> list[dict[str, Any]]:
            return await items(carillon, "/dead-letter", queue="webhook-critical", status="open")

        [seen] = await eventually(unreadable, within=15, message="the poison was not seen")
        assert seen["reason"].startswith("not a CloudEvents envelope")
        read = (await carillon.api.get(f"/dead-letter/{seen['id']}")).json()
        assert read["body"] == poison

        async def mended() -> list[dict[str, Any]]:
            """Return what is open of that queue, once ours is; others' tests leave some there."""
            dead = await items(carillon, "/dead-letter", queue="webhook-low", status="open")
            return dead if "BirthdayDue" in {one["eventType"] for one in dead} else []

        open_of_queue = await eventually(mended, within=15, message="the dead letter was not seen")
        by_queue = await carillon.api.post("/dead-letter/redrive", json={"queue": "webhook-low"})
        by_id = await carillon.api.post("/dead-letter/redrive", json={"ids": [seen["id"]]})
        assert [(answer.status_code, answer.json()) for answer in (by_queue, by_id)] == [
            (202, {"count": len(open_of_queue)}),
            (202, {"count": 1}),
        ]

        came = await eventually(
            lambda: posts_for(partner, {str(event.user_id)}), within=15, message="it was not redriven"
        )
        assert [post.webhook_id for post in came] == [str(out.event_id)]
        # The poison is still one: it comes back as another dead letter.
        [again] = await eventually(unreadable, within=15, message="the poison did not come back")
        assert again["id"] != seen["id"]
