"""An event goes to every endpoint that wants it, each with its own secret, headers, retries and result."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from domain.events import Event, OccurrenceCompleted, OccurrenceFailed, OccurrenceProgress
from messaging.consume import Received
from runtime.database import Connection
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from testkit.received import Received as Arrived
from testkit.receiver import Receiver, new_secret
from webhook_worker.delivery import Delivery

Due = Callable[..., Received]
Register = Callable[..., Coroutine[Any, Any, UUID]]
Retry = Callable[[], Awaitable[int]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]
Take = Callable[..., Coroutine[Any, Any, list[Delivery]]]
Told = Callable[[], Coroutine[Any, Any, list[tuple[UUID, Event]]]]
Work = Callable[..., Coroutine[Any, Any, None]]


def ids(receiver: Receiver) -> list[str]:
    """Return the webhook-ids that came, all of them well signed."""
    assert all(arrived.valid for arrived in receiver.deliveries)
    return [arrived.webhook_id for arrived in receiver.deliveries]


async def test_an_event_goes_to_every_endpoint_signed_with_its_own_secret_and_each_has_its_result(
    work: Work, due: Due, register: Register, receiver: Receiver, other: Receiver, told: Told
) -> None:
    first, second = await register(receiver), await register(other)
    other.reply_with([404])
    ring = due()

    await work(ring)

    assert ids(receiver) == ids(other) == [str(ring.event_id)]
    [(_, outcome)] = await told()
    assert isinstance(outcome, OccurrenceFailed)
    assert {(one.endpoint_id, one.status, one.attempts, one.reason) for one in outcome.results} == {
        (first, "delivered", 1, None),
        (second, "failed", 1, "HTTP 404"),
    }


async def test_each_delivery_has_its_own_retries_and_the_last_of_them_completes_the_occurrence(
    work: Work,
    retry: Retry,
    due: Due,
    register: Register,
    receiver: Receiver,
    other: Receiver,
    told: Told,
) -> None:
    first, second = await register(receiver), await register(other)
    other.reply_with([503])
    ring = due()

    await work(ring)
    assert await told() == []
    assert await retry() == 1

    assert ids(receiver) == [str(ring.event_id)]
    assert ids(other) == [str(ring.event_id)] * 2
    [(_, outcome)] = await told()
    assert isinstance(outcome, OccurrenceCompleted)
    assert {(one.endpoint_id, one.attempts) for one in outcome.results} == {(first, 1), (second, 2)}


async def test_an_endpoint_gets_the_types_it_asked_for_and_no_others(
    work: Work, due: Due, register: Register, receiver: Receiver, other: Receiver
) -> None:
    await register(receiver, event_types=["birthday.due", "reminder.due"])
    await register(other, event_types=["anniversary.due"])

    await work(due())

    assert (receiver.tally.received, other.tally.received) == (1, 0)


async def test_the_default_endpoint_gets_nothing_once_another_is_registered(
    work: Work, due: Due, register: Register, receiver: Receiver, other: Receiver
) -> None:
    await work(due())
    await register(other)
    await work(due())

    assert (receiver.tally.received, other.tally.received) == (1, 1)


async def test_an_event_that_nobody_wants_is_completed_at_once_and_so_is_its_repeat(
    work: Work, due: Due, register: Register, receiver: Receiver, deliveries: Rows, told: Told
) -> None:
    await register(receiver, event_types=["anniversary.due"])
    ring, rung = due(), due()

    await work(ring, rung)
    await work(ring)

    assert await deliveries() == []
    outcomes = [outcome for _, outcome in await told() if isinstance(outcome, OccurrenceCompleted)]
    assert sorted(outcome.due_event_id for outcome in outcomes) == sorted(
        [ring.event_id, ring.event_id, rung.event_id]
    )
    assert {outcome.results for outcome in outcomes} == {()}


async def test_an_endpoint_registered_after_the_first_receipt_gets_nothing_of_that_event(
    work: Work, due: Due, register: Register, receiver: Receiver, other: Receiver
) -> None:
    await register(receiver)
    ring = due()
    await work(ring)

    await register(other)
    await work(ring)

    assert (receiver.tally.received, other.tally.received) == (1, 0)


async def test_of_two_workers_with_the_same_event_one_fans_it_out(
    take: Take, due: Due, register: Register, receiver: Receiver, other: Receiver
) -> None:
    endpoint_ids = {await register(receiver), await register(other)}
    rings = [due() for _ in range(50)]

    taken = await asyncio.gather(take(*rings), take(*reversed(rings)))

    pairs = [(one.event_id, one.endpoint_id) for each in taken for one in each]
    assert sorted(pairs) == sorted((ring.event_id, one) for ring in rings for one in endpoint_ids)
    assert len({one.id for each in taken for one in each}) == 100
    assert {one.id.version for each in taken for one in each} == {7}


async def test_a_webhook_carries_its_endpoints_headers_and_no_others(
    work: Work, due: Due, register: Register, receiver: Receiver, other: Receiver
) -> None:
    await register(receiver, headers={"Authorization": "Bearer one", "X-Team": "birthdays"})
    await register(other)

    await work(due())

    [arrived], [elsewhere] = receiver.deliveries, other.deliveries
    assert (arrived.headers["authorization"], arrived.headers["x-team"]) == ("Bearer one", "birthdays")
    assert {"authorization", "x-team"} & set(elsewhere.headers) == set()


async def test_during_a_rotations_overlap_both_secrets_verify_and_after_it_only_the_new_one(
    work: Work,
    retry: Retry,
    due: Due,
    register: Register,
    receiver: Receiver,
    rotate: Callable[[UUID, str], Awaitable[None]],
    admin: Connection,
) -> None:
    endpoint_id, new = await register(receiver), new_secret()
    receiver.reply_with([204, 503])
    await work(due())
    await rotate(endpoint_id, new)
    await work(due())
    await admin.execute("UPDATE delivery.endpoints SET previous_secret_until = now()")
    await retry()

    before, during, after = receiver.deliveries
    assert [verifies(one, receiver.secret) for one in (before, during, after)] == [True, True, False]
    assert [verifies(one, new) for one in (before, during, after)] == [False, True, True]


def verifies(arrived: Arrived, secret: str) -> bool:
    try:
        Webhook(secret).verify(msgspec.json.encode(arrived.body), arrived.headers)
    except WebhookVerificationError:
        return False
    return True


async def test_a_disabled_endpoints_deliveries_wait_until_it_is_enabled(  # noqa: PLR0913, PLR0917
    work: Work,
    retry: Retry,
    due: Due,
    register: Register,
    receiver: Receiver,
    other: Receiver,
    deliveries: Rows,
    told: Told,
    admin: Connection,
) -> None:
    await register(receiver)
    waiting = await register(other, enabled=False)
    ring = due()
    await work(ring)
    assert await retry() == 0
    assert {row["endpoint_id"]: row["status"] for row in await deliveries()}[waiting] == "pending"
    assert await told() == []

    await admin.execute(
        "UPDATE delivery.endpoints SET enabled = true, disabled_reason = NULL, version = version + 1"
    )
    assert await retry() == 1

    assert ids(receiver) == ids(other) == [str(ring.event_id)]
    [(_, outcome)] = await told()
    assert isinstance(outcome, OccurrenceCompleted)
    assert [one.attempts for one in outcome.results] == [1, 1]


async def test_who_asks_about_a_delivery_that_waits_is_told_to_ask_later(
    work: Work, due: Due, register: Register, receiver: Receiver, told: Told, admin: Connection
) -> None:
    await register(receiver, enabled=False)
    ring = due()
    await work(ring)
    await admin.execute("UPDATE delivery.deliveries SET next_attempt_at = now() - interval '3 days'")

    await work(ring)

    [(_, progress)] = await told()
    assert isinstance(progress, OccurrenceProgress)
    assert progress.check_at > await admin.fetchval("SELECT now() + interval '14 minutes'")


async def test_deliveries_made_for_the_default_endpoint_still_go_there_once_another_is_registered(
    work: Work, retry: Retry, due: Due, register: Register, receiver: Receiver, other: Receiver
) -> None:
    receiver.reply_with([503])
    ring = due()
    await work(ring)
    await register(other)

    assert await retry() == 1

    assert ids(receiver) == [str(ring.event_id)] * 2
    assert other.tally.received == 0


async def test_what_a_disabled_endpoint_is_owed_is_leased_by_nobody(
    take: Take, due: Due, register: Register, receiver: Receiver, deliveries: Rows
) -> None:
    await register(receiver, enabled=False)

    assert await take(due()) == []

    assert [(row["status"], row["lease_token"]) for row in await deliveries()] == [("pending", None)]
