from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from domain.events import OccasionAdded
from messaging.envelope import Outgoing, compose
from messaging.outbox import append
from messaging.topology import load_topology
from testkit import build
from testkit.receiver import Receiver
from testkit.wait import eventually
from uuid_utils.compat import uuid7

from tests.running_system import Carillon, posts_for, soon

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def tell(carillon: Carillon, *occasions: OccasionAdded) -> None:
    """Append the events to the running system's outbox."""
    topology = load_topology(carillon.system.options.topology_file)
    outgoing = [
        Outgoing(event_id=uuid7(), subject=occasion.user_id, event=occasion) for occasion in occasions
    ]
    connection = await asyncpg.connect(carillon.system.database_url())
    try:
        await append(connection, compose(topology, "user-api", datetime.now(UTC), outgoing))
    finally:
        await connection.close()


async def test_an_anniversary_a_daily_reminder_and_a_notification_ring_and_the_first_two_go_on(
    carillon: Carillon, partner: Receiver
) -> None:
    due_at = soon(3)
    local = due_at.astimezone(ZoneInfo("Asia/Kathmandu")).replace(tzinfo=None)
    user_id = UUID(await carillon.create_user_due_at(due_at + timedelta(days=40), name="Grace"))
    when = {"user_id": user_id, "first_date": local.date().isoformat()}

    await tell(
        carillon,
        build.occasion_added(**when, date=local.date().replace(year=2020), send_at_local=local.time()),
        build.reminder_added(**when, local_date_time=local),
        build.notification_added(user_id=user_id, at=due_at, first_date=due_at.date().isoformat()),
    )
    await eventually(
        lambda: len(posts_for(partner, {str(user_id)})) == 3, within=20, message="not all of them rang"
    )

    async def all_are_answered() -> bool:
        return await carillon.finished({str(user_id)}) == {"COMPLETED": 3}

    await eventually(all_are_answered, within=15, message="not every outcome was recorded")

    bodies = [post.body for post in posts_for(partner, {str(user_id)})]
    assert {body["type"]: body["message"] for body in bodies} == {
        "anniversary.due": "Hey, Grace Lovelace happy wedding anniversary",
        "reminder.due": "Water the plants",
        "notification.due": "Your trial ends tomorrow",
    }
    assert {(body["scheduledFor"], body["localDate"], body["timezone"]) for body in bodies} == {
        (due_at.isoformat().replace("+00:00", "Z"), local.date().isoformat(), "Asia/Kathmandu")
    }
    rows = await carillon.fetch(
        "SELECT occasion_type, due_at FROM schedule.occurrences WHERE user_id = $1", user_id
    )
    assert {row["occasion_type"]: row["due_at"] for row in rows} == {
        "BIRTHDAY": due_at + timedelta(days=40),
        "ANNIVERSARY": due_at.replace(year=due_at.year + 1),
        "REMINDER": due_at + timedelta(days=1),
    }
