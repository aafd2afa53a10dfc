"""What docs/consumers.md and examples/ promise, with their own words, on a system that is running already."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import Message
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import jsonschema
import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from carillon_local.programs import MODULES
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat
from domain.events import EVENT_TYPES
from runtime.aws import open_sqs
from testkit import build
from testkit.engine import REGION
from testkit.ports import LOOPBACK, free_port
from testkit.receiver import Receiver
from testkit.repository import find_topology
from testkit.wait import eventually
from types_aiobotocore_sqs import SQSClient

from tests.running_system import Carillon, posts_for, registered, soon
from tests.strangers import add_queues, blocks, consumer, queues_of, running_topology

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = find_topology(Path(__file__)).parents[1]
PAGE = ROOT / "docs/consumers.md"
ANALYTICS, EMAIL = ROOT / "examples/analytics-consumer", ROOT / "examples/email-consumer"
# They need half a minute of silence, or a scheduler that was away for a day: tested where they arise.
NOT_HERE = {"OccurrenceProgress", "OccurrenceExpired"}


class Mailbox:
    """What came to an SMTP server, by recipient."""

    def __init__(self) -> None:
        self.mails: dict[str, list[Message]] = {}

    async def handle_DATA(self, _: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's)
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        for recipient in envelope.rcpt_tos:
            self.mails.setdefault(recipient, []).append(mail)
        return "250 OK"


def pids_of(carillon: Carillon) -> dict[str, int | None]:
    return {name: carillon.system.child(name).pid for name in (*MODULES, "engine")}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pids(carillon: Carillon) -> dict[str, int | None]:
    """Note which processes ran before strangers came."""
    return pids_of(carillon)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def added(
    carillon: Carillon, pids: dict[str, int | None], tmp_path_factory: pytest.TempPathFactory
) -> Carillon:
    """Add to the running system the queues that page and examples show, and one that hears everything."""
    shown = queues_of(PAGE) | queues_of(ANALYTICS / "README.md") | queues_of(EMAIL / "README.md")
    greeter = shown["greeter"]
    assert None not in pids.values()
    everything = sorted({kind["topic"] for kind in running_topology(carillon)["eventTypes"].values()})
    await add_queues(
        carillon,
        tmp_path_factory.mktemp("strangers"),
        {
            **shown,
            **{f"greeter-{name}": greeter for name in ("inbox", "boto", "spare")},
            "catch-all": {"subscriptions": [{"topics": everything}]},
        },
    )
    return carillon


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sqs(carillon: Carillon) -> AsyncIterator[SQSClient]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in carillon.system.engine.environment().items():
            environment.setenv(name, value)
        async with open_sqs(REGION, connections=4) as client:
            yield client


async def notify(carillon: Carillon, user_id: str, message: str, **fields: str) -> None:
    """Have a notification ring now."""
    body = build.notification_body(at="now", message=message, **fields)
    answer = await carillon.api.post(f"/user/{user_id}/occasion", json=body)
    assert answer.status_code == 201, answer.text


async def drain(sqs: SQSClient, queue: str) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """Return what waits in a queue, each body with its attributes, and remove it."""
    url = (await sqs.get_queue_url(QueueName=f"carillon-local-{queue}"))["QueueUrl"]
    drained = []
    while messages := (
        await sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0, MessageAttributeNames=["All"]
        )
    ).get("Messages"):
        for message in messages:
            attributes = {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}
            drained.append((json.loads(message["Body"]), attributes))
            await sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return drained


async def test_one_birthday_reaches_webhook_analytics_and_mail_and_nothing_was_restarted(
    added: Carillon, partner: Receiver, pids: dict[str, int | None]
) -> None:
    mailbox = Mailbox()
    smtp = Controller(mailbox, hostname=LOOPBACK, port=free_port())
    smtp.start()
    try:
        async with (
            consumer(added, sys.executable, str(ANALYTICS / "analytics_consumer.py")) as analytics,
            consumer(
                added,
                *(sys.executable, str(EMAIL / "email_consumer.py")),
                SMTP_HOST=LOOPBACK,
                SMTP_PORT=str(smtp.port),
            ) as email,
        ):
            address = f"grace-{uuid4()}@example.com"
            user_id = await added.create_user_due_at(
                soon(2), timezone="Pacific/Chatham", name="Grace", email=address
            )
            [webhook] = await eventually(lambda: posts_for(partner, {user_id}), within=15)
            await analytics.has_printed("BirthdayDue     Pacific/Chatham", "█ 1")
            [mail] = await eventually(lambda: mailbox.mails.get(address, []), within=15)
    finally:
        smtp.stop()

    assert mail["Subject"] == webhook.body["message"] == "Hey, Grace Lovelace it's your birthday"
    assert mail["Message-ID"].endswith(f".{webhook.body['localDate']}@carillon>")
    assert (analytics.process.returncode, email.process.returncode) == (0, 0)
    assert pids_of(added) == pids


async def test_the_pages_python_receives(added: Carillon) -> None:
    kit, with_inbox, with_boto = blocks(PAGE, "python")
    inbox_url = await strangers_database(added)
    words = f"It works {uuid4()}"
    async with (
        consumer(added, sys.executable, "-c", kit, QUEUE="carillon-local-greeter") as by_kit,
        consumer(
            added, sys.executable, "-c", with_inbox, QUEUE="carillon-local-greeter-inbox", INBOX_URL=inbox_url
        ) as by_inbox,
        consumer(added, sys.executable, "-c", with_boto, QUEUE="carillon-local-greeter-boto") as by_boto,
    ):
        user = await added.create_user(
            firstName="Ada", lastName="Lovelace", dateOfBirth="1815-12-10", timezone="America/New_York"
        )
        await notify(added, user["id"], words)
        await by_kit.has_printed(f"{words} America/New_York")
        await by_boto.has_printed(f"carillon.NotificationDue.v1 {words}")
        await eventually(lambda: greetings(inbox_url, words), within=15, message="nothing was committed")

    assert (by_kit.process.returncode, by_inbox.process.returncode) == (0, 0)


async def strangers_database(carillon: Carillon) -> str:
    """Make a database of a stranger's own, with the page's table; return its URL."""
    await asyncio.to_thread(carillon.system.postgres.create_database, "stranger")
    url = carillon.system.postgres.url("postgres", "stranger")
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE IF NOT EXISTS greetings (message text)")
    await connection.close()
    return url


async def greetings(url: str, message: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        count: int = await connection.fetchval("SELECT count(*) FROM greetings WHERE message = $1", message)
    finally:
        await connection.close()
    return count


async def test_the_pages_filters_let_through_what_they_say(added: Carillon, sqs: SQSClient) -> None:
    subjects = {}
    for timezone in ("America/New_York", "Pacific/Honolulu", "Asia/Kathmandu"):
        user = await added.create_user(
            firstName="Ada", lastName="Lovelace", dateOfBirth="1815-12-10", timezone=timezone
        )
        subjects[user["id"]] = timezone
        await notify(added, user["id"], "low, as notifications are")
        await notify(added, user["id"], "high", priority="high")
    heard: dict[str, list[tuple[str, str]]] = {"greeter-spare": [], "urgent": [], "american": []}

    async def all_came() -> bool:
        for queue, messages in heard.items():
            messages += [
                (subjects[event["subject"]], event["data"]["message"])
                for event, _ in await drain(sqs, queue)
                if event["subject"] in subjects
            ]
        return len(heard["greeter-spare"]) >= 6

    await eventually(all_came, within=20)
    await all_came()  # what came to the queues that were asked first

    assert {zone for zone, _ in heard["american"]} == {"America/New_York", "Pacific/Honolulu"}
    assert len(heard["american"]) == 4
    assert sorted(heard["urgent"]) == [(zone, "high") for zone in sorted(subjects.values())]


async def test_every_event_that_is_published_is_a_cloudevent_that_follows_its_dataschema(
    added: Carillon, sqs: SQSClient
) -> None:
    files = [ROOT / "contracts/envelope.schema.json", *(ROOT / "contracts/events").rglob("*.schema.json")]
    schemas = [json.loads(file.read_text()) for file in files]
    by_id = {schema["$id"]: schema for schema in schemas}
    topics = running_topology(added)["eventTypes"]
    captured: list[tuple[dict[str, Any], dict[str, str]]] = []

    async def all_came() -> bool:
        captured.extend(await drain(sqs, "catch-all"))
        return {attributes["eventType"] for _, attributes in captured} >= EVENT_TYPES.keys() - NOT_HERE

    await have_everything_happen(added)
    await send_nonsense(sqs)
    await eventually(all_came, within=30)

    for event, attributes in captured:
        message = HTTPMessage({"content-type": "application/cloudevents+json"}, json.dumps(event).encode())
        parsed = from_structured_event(message, JSONFormat())
        schema = by_id[str(parsed.get_dataschema())]
        validate(event, by_id["urn:carillon:envelope:v1"])
        validate(parsed.get_data(), schema)
        event_type = attributes["eventType"]
        assert (schema["title"], parsed.get_type()) == (event_type, f"carillon.{event_type}.v1")
        of_due = event["data"]["priority"] if event_type.endswith("Due") else None
        assert attributes["priority"] == (of_due or topics[event_type]["priority"])


def validate(document: object, schema: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator
    jsonschema.validate(document, schema, cls=validator, format_checker=validator.FORMAT_CHECKER)


async def send_nonsense(sqs: SQSClient) -> None:
    """Put a message into a worker's queue that nobody can read."""
    url = (await sqs.get_queue_url(QueueName="carillon-local-webhook-low"))["QueueUrl"]
    await sqs.send_message(QueueUrl=url, MessageBody="ring!")


async def have_everything_happen(carillon: Carillon) -> None:
    """Change a user in each way, ring each kind of occasion, the last refused for good; delete the user."""
    async with registered(carillon) as (_, partner):
        user_id = await change_and_ring(carillon)
        partner.reply_with([204, 204, 204, 410], user_id=user_id)

        async def all_are_answered() -> bool:
            finished = await carillon.finished({user_id})
            # One that was removed may have been planned before that was heard: then it was cancelled.
            return {**finished, "CANCELLED": 0} == {"COMPLETED": 3, "FAILED": 1, "CANCELLED": 0}

        await eventually(all_are_answered, within=20)
    await carillon.api.delete(f"/user/{user_id}", headers={"If-Match": "*"})


async def change_and_ring(carillon: Carillon) -> str:
    """Make a user, change them and an occasion in each way, and have one of each kind fall due."""
    due_at = soon(8)
    user_id = await carillon.create_user_due_at(due_at, name="Rosa")
    local = due_at.isoformat()[:19]
    changes = [
        {"timezone": "UTC", "sendAtLocal": local[11:], "dateOfBirth": f"1990{local[4:10]}"},
        {"lastName": "Parks"},
        {"leapDayPolicy": "mar_1"},
    ]
    for change in changes:
        answer = await carillon.api.patch(
            f"/user/{user_id}",
            json=change,
            headers={"If-Match": "*", "content-type": "application/merge-patch+json"},
        )
        assert answer.status_code == 200, answer.text
    for body in (
        build.anniversary_body(date=f"2020{local[4:10]}", sendAtLocal=local[11:]),
        build.reminder_body(localDateTime=local),
        build.notification_body(at=due_at.isoformat()),
    ):
        answer = await carillon.api.post(f"/user/{user_id}/occasion", json=body)
        assert answer.status_code == 201, answer.text
    url = f"/user/{user_id}/occasion"
    spare = (await carillon.api.post(url, json=build.anniversary_body())).json()["id"]
    spared = {**build.anniversary_body(), "name": "paper"}
    await carillon.api.put(f"{url}/{spare}", json=spared, headers={"If-Match": "*"})
    await carillon.api.delete(f"{url}/{spare}", headers={"If-Match": "*"})
    return user_id
