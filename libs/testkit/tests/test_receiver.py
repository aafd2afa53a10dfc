import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from standardwebhooks import Webhook
from testkit.ports import free_port
from testkit.received import KEPT_RECORDS, Records
from testkit.receiver import Receiver, Reply, new_secret
from testkit.wait import eventually


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def signed(secret: str, webhook_id: str, body: dict[str, Any]) -> dict[str, Any]:
    raw = json.dumps(body)
    now = datetime.now(UTC)
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now, raw),
    }
    return {"content": raw, "headers": headers}


async def test_a_well_signed_post_is_accepted_and_recorded_with_its_lag(
    receiver: Receiver, http: httpx.AsyncClient
) -> None:
    due = datetime.now(UTC) - timedelta(seconds=2)
    body = {"type": "birthday.due", "scheduledFor": due.isoformat()}

    answer = await http.post(receiver.url, **signed(receiver.secret, "ring-1", body))
    [record] = await receiver.wait_for(1)

    assert answer.status_code == 204
    assert (record.webhook_id, record.valid, record.status, record.repeat) == ("ring-1", True, 204, False)
    assert body == record.body
    assert record.lag_ms is not None
    assert 2000 <= record.lag_ms < 3000


async def test_a_bad_signature_is_401_and_recorded_as_invalid(
    receiver: Receiver, http: httpx.AsyncClient
) -> None:
    forged = await http.post(receiver.url, **signed(new_secret(), "ring-1", {}))
    unsigned = await http.post(receiver.url, content="{}")
    garbled = await http.post(receiver.url, content="{}", headers={"webhook-signature": "v1"})

    assert [forged.status_code, unsigned.status_code, garbled.status_code] == [401, 401, 401]
    assert [record.valid for record in receiver.deliveries] == [False, False, False]
    assert receiver.tally.invalid == 3
    assert receiver.tally.accepted == 0


async def test_a_signature_over_other_bytes_is_refused(receiver: Receiver, http: httpx.AsyncClient) -> None:
    request = signed(receiver.secret, "ring-1", {"amount": 1})

    answer = await http.post(receiver.url, content='{"amount": 2}', headers=request["headers"])

    assert answer.status_code == 401


async def test_scripted_replies_come_in_order_then_204(receiver: Receiver, http: httpx.AsyncClient) -> None:
    def teapot(_: object) -> int:
        return 418

    async def slowly(_: object) -> Reply:
        return Reply(status=200, after_seconds=0.01)

    receiver.reply_with([503, Reply(status=429, headers={"Retry-After": "2"}), teapot, slowly])

    answers = [
        await http.post(receiver.url, **signed(receiver.secret, f"ring-{number}", {})) for number in range(5)
    ]

    assert [answer.status_code for answer in answers] == [503, 429, 418, 200, 204]
    assert answers[1].headers["Retry-After"] == "2"
    assert receiver.tally.accepted == 2


async def test_replies_for_a_user_are_kept_for_their_webhooks(
    receiver: Receiver, http: httpx.AsyncClient
) -> None:
    receiver.reply_with([503], user_id="ada")
    receiver.reply_with([418])

    answers = [
        await http.post(receiver.url, **signed(receiver.secret, f"ring-{user}", {"userId": user}))
        for user in ("grace", "ada", "ada")
    ]

    assert [answer.status_code for answer in answers] == [418, 503, 204]


async def test_a_retry_after_a_refusal_is_no_duplicate_but_one_after_a_204_is(
    receiver: Receiver, http: httpx.AsyncClient
) -> None:
    receiver.reply_with([503])
    duplicates = []
    for _ in range(3):
        await http.post(receiver.url, **signed(receiver.secret, "ring-1", {}))
        duplicates.append(receiver.tally.duplicates)

    assert duplicates == [0, 0, 1]
    assert receiver.tally.accepted == 1


async def test_waiting_for_what_does_not_come_ends_with_what_came(receiver: Receiver) -> None:
    with pytest.raises(AssertionError, match=r"0 of 2 came within 0\.05 s"):
        await receiver.wait_for(2, within=0.05)


def test_memory_is_bounded_and_counts_are_not() -> None:
    records = Records()
    for number in range(KEPT_RECORDS + 5):
        records.add(
            at=datetime.now(UTC),
            headers={"webhook-id": str(number)},
            body={},
            valid=True,
            status=204,
            clock_offset_seconds=0,
        )

    assert len(records.last) == 10_000
    assert records.tally.accepted == 10_005
    assert [record.index for record in records.since(10_003)] == [10_003, 10_004]


@pytest.fixture
def process() -> Iterator[tuple["subprocess.Popen[str]", str, str]]:
    secret, port = new_secret(), str(free_port())
    variables = {"RECEIVER_PORT": port, "WEBHOOK_SECRET": secret, "LOG_FORMAT": "console"}
    started = subprocess.Popen(
        [sys.executable, "-m", "testkit.receiver"],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    with started:
        try:
            yield started, f"http://127.0.0.1:{port}", secret
        finally:
            started.kill()


async def test_the_process_says_and_lists_what_came_and_ends_on_sigterm(
    process: tuple["subprocess.Popen[str]", str, str], http: httpx.AsyncClient
) -> None:
    started, url, secret = process

    async def healthy() -> bool:
        try:
            return (await http.get(f"{url}/health")).is_success
        except httpx.TransportError:
            return False

    await eventually(healthy, within=20, message="no receiver came up")
    await http.post(f"{url}/webhook", **signed(secret, "ring-1", {"message": "Hey, Ada"}))
    await http.post(f"{url}/webhook", **signed(secret, "ring-2", {}))
    listing = (await http.get(f"{url}/deliveries", params={"since": 1})).json()
    bad = await http.get(f"{url}/deliveries", params={"since": "x"})
    started.send_signal(signal.SIGTERM)
    said, _ = started.communicate(timeout=10)

    assert [item["webhookId"] for item in listing["items"]] == ["ring-2"]
    assert tuple(listing[name] for name in ("received", "accepted", "duplicates", "invalid")) == (2, 2, 0, 0)
    assert bad.status_code == 400
    assert said.splitlines()[0] == "204  signature ok  ring-1  Hey, Ada"
    assert started.returncode == 0


def test_the_process_refuses_a_bad_secret_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "testkit.receiver"],
        env={**os.environ, "RECEIVER_PORT": str(free_port()), "WEBHOOK_SECRET": "hunter2"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "WEBHOOK_SECRET" in done.stderr
