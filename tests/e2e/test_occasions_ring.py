from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from testkit import build
from testkit.receiver import Receiver
from testkit.wait import eventually

from tests.running_system import Carillon, posts_for, soon

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def have(carillon: Carillon, user_id: UUID, *occasions: dict[str, Any]) -> None:
    """Give a user occasions over REST."""
    for occasion in occasions:
        answer = await carillon.api.post(f"/user/{user_id}/occasion", json=occasion)
        assert answer.status_code == 201, answer.text


async def occurrences(carillon: Carillon, user_id: UUID, query: str) -> list[dict[str, Any]]:
    """Ask for a user's occurrences over REST."""
    answer = await carillon.api.get(f"/user/{user_id}/occurrence?{query}")
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_an_anniversary_a_daily_reminder_and_a_notification_ring_and_the_first_two_go_on(
    carillon: Carillon, partner: Receiver
) -> None:
    due_at = soon(5)
    local = due_at.astimezone(ZoneInfo("Asia/Kathmandu")).replace(tzinfo=None)
    user_id = UUID(await carillon.create_user_due_at(due_at + timedelta(days=40), name="Grace"))
    local_time = local.isoformat(timespec="seconds")

    await have(
        carillon,
        user_id,
        build.anniversary_body(date=f"2020{local_time[4:10]}", sendAtLocal=local_time[11:]),
        build.reminder_body(localDateTime=local_time, rrule="FREQ=DAILY", message="Water the plants"),
        build.notification_body(at=due_at.isoformat(), message="Your trial ends tomorrow"),
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
    real = await occurrences(carillon, user_id, f"since={due_at:%Y-%m-%dT%H:%M:%SZ}&limit=3")
    assert {item["eventType"]: item["status"] for item in real} == dict.fromkeys(
        ("ANNIVERSARY", "REMINDER", "NOTIFICATION"), "COMPLETED"
    )
    upcoming = await occurrences(carillon, user_id, "next=2")
    assert [(item["eventType"], item["status"]) for item in upcoming] == [
        ("REMINDER", "PENDING"),
        ("REMINDER", "PREVIEW"),
    ]
