"""The audit: what events tell, what the database writes down itself, and that nobody changes either."""

from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from domain.ids import birthday_occasion_id
from messaging.received import Received
from opentelemetry.trace import SpanContext, TraceFlags
from runtime.database import Connection, Pool
from scheduler.keep_audit import keep_audit
from testkit import build
from testkit.fresh_database import FreshDatabase

TRACE = 0xAF7651916CD43DD8448EB211C80319C
CHANGE = build.NOW


def received(event: object, *, actor: str | None = None) -> Received:
    parent = SpanContext(TRACE, 7, is_remote=True, trace_flags=TraceFlags(1))
    return Received(event_id=uuid4(), event=event, receipt="r", parent=parent, actor=actor)  # type: ignore[arg-type]


async def entries(admin: Connection) -> list[asyncpg.Record]:
    return await admin.fetch("SELECT * FROM audit.api_entries ORDER BY at, what")


async def test_each_event_is_an_entry_with_who_what_when_and_its_trace(pool: Pool, admin: Connection) -> None:
    user = build.user_created(first_name="Quetzalcoatl")
    occasion = build.occasion_added(user_id=user.user_id, occurred_at=CHANGE + timedelta(seconds=1))
    due = build.birthday_due(user_id=user.user_id)
    batch = [received(user, actor="admin:7f"), received(occasion), received(due)]

    await keep_audit(pool, batch)
    await keep_audit(pool, batch)  # told again

    rows = await entries(admin)
    assert [tuple(row)[:8] for row in rows] == [
        (CHANGE, "UserCreated", "admin:7f", "user", str(user.user_id), user.user_id, 1, f"{TRACE:032x}"),
        (
            occasion.occurred_at,
            "OccasionAdded",
            "user-api",
            "occasion",
            str(occasion.occasion_id),
            user.user_id,
            1,
            f"{TRACE:032x}",
        ),
        (
            due.emitted_at,
            "BirthdayDue",
            "scheduler",
            "occurrence",
            str(batch[2].event_id),
            user.user_id,
            None,
            f"{TRACE:032x}",
        ),
    ]
    assert "Quetzalcoatl" not in str(rows)


async def test_what_no_event_tells_of_is_written_where_it_happens(
    database: FreshDatabase, admin: Connection
) -> None:
    endpoint_id, user_id, event_id = uuid4(), uuid4(), uuid4()
    api = await database.connect("carillon_user_api")
    async with api.transaction():
        await api.execute(
            "SELECT set_config('carillon.actor', 'admin:7f', true), set_config('carillon.trace', 'aa', true)"
        )
        await api.execute(
            "SELECT delivery.create_endpoint("
            "$1, 'https://a.example', NULL, NULL, NULL, '{}', 'x', NULL, 1, 1, true)",
            endpoint_id,
        )
    await api.execute("SELECT delivery.rotate_endpoint_secret($1, 'y', '1 hour')", endpoint_id)
    await api.execute("SELECT delivery.remove_endpoint($1)", endpoint_id)
    await api.execute(
        "SELECT schedule.pause_occasion($1, $2, 'why', now(), 'ada@example.com')",
        birthday_occasion_id(user_id),
        user_id,
    )
    await deliver(admin, event_id, user_id)
    worker = await database.connect("carillon_webhook_worker")
    await worker.execute(
        "UPDATE delivery.deliveries SET lease_token = $1 WHERE event_id = $2", uuid4(), event_id
    )
    await worker.execute(
        "UPDATE delivery.deliveries SET status = 'delivered', settled_at = now() WHERE event_id = $1",
        event_id,
    )

    rows = [(row["what"], row["who"], row["about"], row["trace_id"]) for row in await entries(admin)]

    hashed = [who for what, who, _, _ in rows if what == "Paused"]
    assert rows == [
        ("EndpointCreated", "admin:7f", "endpoint", "aa"),
        ("EndpointSecretRotated", "user-api", "endpoint", None),
        ("EndpointRemoved", "user-api", "endpoint", None),
        ("Paused", *hashed, "occasion", None),
        ("DeliveryDelivered", "webhook-worker", "delivery", f"{TRACE:032x}"),
    ]
    assert hashed[0].startswith("sha256:")


async def test_deliveries_that_settle_together_have_an_entry_each(
    database: FreshDatabase, admin: Connection
) -> None:
    event_ids = [uuid4() for _ in range(3)]
    for event_id in event_ids:
        await deliver(admin, event_id, uuid4())
    settle = "UPDATE delivery.deliveries SET status = $2, reason = $3 WHERE event_id = ANY($1)"
    worker = await database.connect("carillon_webhook_worker")

    await worker.execute(settle, event_ids[:1], "delivered", None)
    await worker.execute(settle, event_ids, "delivered", "again")

    rows = [(row["what"], row["about_id"]) for row in await entries(admin)]
    ids = await admin.fetch("SELECT id::text FROM delivery.deliveries")
    assert sorted(rows) == sorted(("DeliveryDelivered", row["id"]) for row in ids)


async def deliver(admin: Connection, event_id: UUID, user_id: UUID) -> None:
    await admin.execute(
        "INSERT INTO delivery.events (event_id, user_id, event_type, priority, body, open, traceparent)"
        " VALUES ($1, $2, 'BirthdayDue', 0, '{}', 1, $3)",
        event_id,
        user_id,
        f"00-{TRACE:032x}-00000000000000b7-01",
    )
    await admin.execute(
        "INSERT INTO delivery.deliveries (id, event_id, endpoint_id, next_attempt_at)"
        " VALUES ($1, $2, $3, now())",
        uuid4(),
        event_id,
        uuid4(),
    )


@pytest.mark.parametrize(
    "change",
    ["UPDATE audit.entries SET who = 'nobody'", "DELETE FROM audit.entries", "TRUNCATE audit.entries"],
)
async def test_nobody_changes_the_audit(pool: Pool, admin: Connection, change: str) -> None:
    await keep_audit(pool, [received(build.user_created())])

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute(change)
    with pytest.raises(asyncpg.RaiseError, match="never changed"):
        await admin.execute(change)
    assert len(await entries(admin)) == 1


async def test_an_event_that_tells_of_no_change_is_left_to_the_redrive(pool: Pool) -> None:
    with pytest.raises(TypeError, match="Received"):
        await keep_audit(pool, [received(received(build.user_created()))])
