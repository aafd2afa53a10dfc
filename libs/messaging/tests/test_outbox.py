from uuid import uuid4

import msgspec
import pytest
from domain.priority import Priority
from messaging.envelope import Message
from messaging.outbox import append
from testkit.fresh_database import FreshDatabase

MESSAGES = [
    Message(
        event_id=uuid4(),
        event_type="BirthdayDue",
        priority=priority,
        group_id=f"user {priority}",
        attributes={"priority": priority.value, "note": 'a "quote", a \\ and Zoë'},
        body='{"message": "Hey, Zoë it\'s your birthday\\n🎂"}',
    )
    for priority in Priority
]


@pytest.mark.parametrize("role", ["carillon_user_api", "carillon_scheduler", "carillon_webhook_worker"])
async def test_what_is_appended_is_kept_as_it_is(database: FreshDatabase, role: str) -> None:
    connection, admin = await database.connect(role), await database.connect()

    await append(connection, MESSAGES)
    await append(connection, [])

    rows = await admin.fetch("SELECT * FROM outbox.messages ORDER BY id")
    assert [
        Message(
            event_id=row["event_id"],
            event_type=row["event_type"],
            priority=list(Priority)[row["priority"]],
            group_id=row["group_id"],
            attributes=msgspec.json.decode(row["attributes"], type=dict[str, str]),
            body=row["body"],
        )
        for row in rows
    ] == MESSAGES
    assert {
        (row["lease_token"], row["tries"], row["available_at"] <= row["appended_at"]) for row in rows
    } == {(None, 0, True)}


async def test_what_is_rolled_back_was_never_appended(database: FreshDatabase) -> None:
    connection, admin = await database.connect("carillon_scheduler"), await database.connect()

    transaction = connection.transaction()
    await transaction.start()
    await append(connection, MESSAGES)
    assert await admin.fetchval("SELECT count(*) FROM outbox.messages") == 0
    await transaction.rollback()

    assert await admin.fetchval("SELECT count(*) FROM outbox.messages") == 0
