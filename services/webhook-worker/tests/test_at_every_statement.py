"""A crash, and another worker's work, at every statement that a worker sends, whatever they are."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from domain.events import Event, OccurrenceCompleted, OccurrenceFailed
from domain.retry import NoResponse, Outcome, Response
from messaging.consume import Received
from messaging.topology import Topology
from runtime.database import Connection, Pool
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.receiver import Receiver
from testkit.stepped_pool import Work, crash_after, meet_after, statements_of
from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.endpoint import Endpoint
from webhook_worker.endpoints import Endpoints
from webhook_worker.on_occurrence_due import accept
from webhook_worker.on_user_deleted import erase_some, on_user_deleted
from webhook_worker.record_attempts import record_attempts
from webhook_worker.retry_due import lease_due
from webhook_worker.settle_waiting import cancel_removed, miss_overdue

Due = Callable[..., Received]
Post = Callable[[Endpoint, Delivery], Coroutine[Any, Any, Attempt]]
Register = Callable[..., Coroutine[Any, Any, UUID]]
Told = Callable[[], Coroutine[Any, Any, list[tuple[UUID, Event]]]]

NO_OFFSET = timedelta(0)
LEASE = timedelta(seconds=45)
ROLE = "carillon_webhook_worker"
ALL_DUE = "UPDATE delivery.deliveries SET next_attempt_at = now() WHERE status = 'pending'"
LEASES_END = "UPDATE delivery.deliveries SET next_attempt_at = now() - interval '77 hours'"
OPEN = "SELECT count(*) FROM delivery.deliveries WHERE status = 'pending'"
FORGET = """
    DELETE FROM delivery.attempts; DELETE FROM delivery.deliveries; DELETE FROM delivery.events;
    DELETE FROM delivery.failing_endpoints; DELETE FROM delivery.deleted_users; DELETE FROM outbox.messages;
    UPDATE delivery.endpoints
    SET
        version = 1, enabled = true, disabled_reason = NULL, deleted_at = NULL,
        secret = coalesce(secret, '\\x00')
"""


class Life:
    """What a worker does with a due event from its message to its outcome, each piece safe to do again."""

    def __init__(self, topology: Topology, endpoints: Endpoints, post: Post, ring: Received) -> None:
        self.ring = ring
        self._topology = topology
        self._endpoints = endpoints
        self._post = post

    async def receive(self, pool: Pool) -> list[Delivery]:
        return await accept(pool, self._topology, lambda: None, NO_OFFSET, LEASE, [self.ring])

    async def attempt(self, pool: Pool, deliveries: list[Delivery]) -> None:
        """POST them and record what came of it."""
        known = {one.id: one for one in self._endpoints.enabled()}
        attempts = [await self._post(known[one.endpoint_id], one) for one in deliveries]
        if attempts:
            await record_attempts(pool, self._topology, NO_OFFSET, attempts)

    async def retry(self, pool: Pool) -> None:
        room = {one.id: 10 for one in self._endpoints.enabled()}
        await self.attempt(pool, await lease_due(pool, room, most=10, lease=LEASE))

    async def first(self, pool: Pool) -> None:
        await self.attempt(pool, await self.receive(pool))


@pytest.fixture
async def life(
    topology: Topology,
    endpoints: Endpoints,
    post: Post,
    due: Due,
    register: Register,
    receiver: Receiver,
    other: Receiver,
) -> Life:
    """Give a life with two endpoints."""
    await register(receiver)
    await register(other)
    await endpoints.refresh()
    return Life(topology, endpoints, post, due())


async def test_whatever_statement_a_worker_dies_at_each_delivery_arrives_under_one_id_and_is_told_once(  # noqa: PLR0913, PLR0917 (fixtures)
    life: Life,
    database: FreshDatabase,
    pool: Pool,
    admin: Connection,
    due: Due,
    receiver: Receiver,
    other: Receiver,
    told: Told,
) -> None:
    async def whole(of: Pool) -> None:
        """Have the second endpoint fail once, and arrive with a retry."""
        other.reply_with([503])
        await life.first(of)
        await admin.execute(ALL_DUE)
        await life.retry(of)

    url = database.url(ROLE)
    statements = await statements_of(whole, url)
    assert statements > 12  # accepting, recording, leasing, recording
    for number in range(statements + 1):
        await admin.execute(FORGET)
        life.ring = due()

        await crash_after(number, work=whole, url=url, admin=admin)
        # Its message comes again, for it was not deleted, and the leases of the dead run out.
        await life.first(pool)
        while await admin.fetchval(OPEN):
            await admin.execute(ALL_DUE)
            await life.retry(pool)

        webhook_id = str(life.ring.event_id)
        arrived = [[one for one in at.deliveries if one.webhook_id == webhook_id] for at in (receiver, other)]
        assert [number, *(any(one.status == 204 for one in each) for each in arrived)] == [number, True, True]
        assert all(one.valid and one.body == arrived[0][0].body for each in arrived for one in each)
        answers = {
            event_id: event for event_id, event in await told() if isinstance(event, OccurrenceCompleted)
        }
        assert [[one.status for one in event.results] for event in answers.values()] == [["delivered"] * 2]
        # The log has every attempt, but for those that nobody but the dead knew of: one an endpoint.
        logged = await admin.fetchval("SELECT count(*) FROM delivery.attempts")
        assert sum(map(len, arrived)) - 2 <= logged <= sum(map(len, arrived))
    assert {one.webhook_id for one in receiver.deliveries} == {one.webhook_id for one in other.deliveries}


async def test_two_workers_that_settle_one_event_tell_it_once_wherever_they_meet(
    life: Life,
    database: FreshDatabase,
    pool: Pool,
    admin: Connection,
    due: Due,
    topology: Topology,
    told: Told,
) -> None:
    at = datetime.now(UTC)
    leased: list[Delivery] = []

    async def settle(which: int, outcome: Outcome, of: Pool) -> None:
        attempt = Attempt(delivery=leased[which], at=at, outcome=outcome, latency_ms=1)
        await record_attempts(of, topology, NO_OFFSET, [attempt])

    async def begin() -> None:
        await admin.execute(FORGET)
        life.ring = due()
        leased[:] = await life.receive(pool)

    good, bad = partial(settle, 0, Response(204)), partial(settle, 1, Response(404))
    again = partial(settle, 0, Response(200))
    url = database.url(ROLE)
    for one, other, ends in (
        (good, bad, {OccurrenceFailed}),
        (bad, good, {OccurrenceFailed}),
        (good, again, set()),  # an outlived lease: two workers made the same attempt
    ):
        await begin()
        for number in range(await statements_of(one, url) + 1):
            await begin()
            await meet_after(number, one=one, other=other, url=url, pool=pool, admin=admin)
            assert (number, ends) == (number, {type(event) for _, event in await told()})
            assert len(await told()) == len(ends)
            assert await admin.fetchval("SELECT open FROM delivery.events") == (0 if ends else 1)
            assert await admin.fetchval("SELECT count(*) FROM delivery.attempts") == 2


# All that is kept, but for ids that are made anew and the database's own times.
READ = """
    SELECT 'delivery' AS place, event_id::text AS owner, concat_ws(
        ' ', endpoint_id, status, attempts, reason, lease_token IS NOT NULL, settled_at IS NOT NULL
    ) AS kept
    FROM delivery.deliveries
    UNION ALL
    SELECT 'event', event_id::text, concat_ws(' ', open, body, outcome_type) FROM delivery.events
    UNION ALL
    SELECT 'attempt', event_id::text, concat_ws(' ', endpoint_id, attempt, status, error)
    FROM delivery.attempts
    UNION ALL
    SELECT 'endpoint', id::text, concat_ws(' ', version, enabled, disabled_reason) FROM delivery.endpoints
    UNION ALL
    SELECT 'failing', endpoint_id::text, '' FROM delivery.failing_endpoints
    UNION ALL
    SELECT 'deleted', user_id::text, (erase_at > now())::text FROM delivery.deleted_users
    UNION ALL
    SELECT 'message', group_id, concat_ws(' ', event_id, event_type) FROM outbox.messages
    ORDER BY 1, 2, 3
"""


@pytest.mark.parametrize("name", ["record", "cancel removed", "miss overdue", "hear of deletions", "erase"])
async def test_work_that_a_crash_has_cut_short_is_done_again_and_ends_as_if_nothing_had_happened(
    life: Life,
    database: FreshDatabase,
    pool: Pool,
    admin: Connection,
    topology: Topology,
    endpoints: Endpoints,
    name: str,
) -> None:
    at = datetime.now(UTC)
    leased: list[Delivery] = []
    user_id = life.ring.event.user_id  # type: ignore[attr-defined]
    deletion = Received(event_id=uuid4(), event=build.user_deleted(user_id), receipt="")
    removal = (
        "UPDATE delivery.endpoints SET headers = NULL, secret = NULL, header_names = '{}', deleted_at = now()"
    )

    async def record(of: Pool) -> None:
        outcomes: list[Outcome] = [Response(410), NoResponse("timeout")]
        await record_attempts(
            of,
            topology,
            NO_OFFSET,
            [
                Attempt(delivery=delivery, at=at, outcome=outcome, latency_ms=1)
                for delivery, outcome in zip(leased, outcomes, strict=True)
            ],
        )

    work: dict[str, Work] = {
        "record": record,
        "cancel removed": partial(cancel_removed, topology=topology, offset=NO_OFFSET),
        "miss overdue": partial(miss_overdue, topology=topology, endpoints=endpoints, offset=NO_OFFSET),
        "hear of deletions": partial(on_user_deleted, batch=[deletion]),
        "erase": partial(erase_some, topology=topology, offset=NO_OFFSET),
    }
    before = {
        "cancel removed": [LEASES_END, removal],
        "miss overdue": [
            LEASES_END,
            "UPDATE delivery.endpoints SET enabled = false, disabled_reason = 'manual'",
        ],
    }

    async def begin() -> None:
        await admin.execute(FORGET)
        leased[:] = sorted(await life.receive(pool), key=lambda one: one.endpoint_id)
        for statement in before.get(name, ()):
            await admin.execute(statement)
        if name == "erase":
            await on_user_deleted(pool, [deletion])

    url = database.url(ROLE)
    await begin()
    statements = await statements_of(work[name], url)
    undisturbed = await admin.fetch(READ)
    for number in range(statements + 1):
        await begin()
        await crash_after(number, work=work[name], url=url, admin=admin)
        await work[name](pool)
        # Attempts are appended unconditionally: one that was recorded and not heard of is there twice.
        assert (number, set(undisturbed)) == (number, set(await admin.fetch(READ)))
