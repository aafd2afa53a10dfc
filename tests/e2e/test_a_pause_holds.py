from datetime import timedelta
from uuid import UUID

import pytest
from domain.ids import birthday_occasion_id
from testkit import build
from testkit.receiver import Receiver
from testkit.wait import eventually

from tests.running_system import Carillon, posts_for, soon

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_paused_birthday_is_held_back_beside_what_rings_and_rings_late_when_resumed(
    carillon: Carillon, partner: Receiver
) -> None:
    due_at = soon(4)
    user_id = await carillon.create_user_due_at(due_at)
    birthday = f"/user/{user_id}/occasion/{birthday_occasion_id(UUID(user_id))}"
    paused = await carillon.api.post(f"{birthday}/pause", json={"note": "In hospital"})
    assert paused.status_code == 200, paused.text
    later = build.notification_body(at=(due_at + timedelta(seconds=1)).isoformat(), message="Doors open")
    await carillon.api.post(f"/user/{user_id}/occasion", json=later)

    # What is less urgent and due later has rung: the birthday would have.
    await eventually(lambda: posts_for(partner, {user_id}) != [], within=20, message="nothing rang")
    assert [post.body["type"] for post in posts_for(partner, {user_id})] == ["notification.due"]

    await carillon.api.post(f"{birthday}/resume")
    await eventually(
        lambda: len(posts_for(partner, {user_id})) == 2, within=20, message="the birthday did not ring"
    )
    [_, late] = [post.body for post in posts_for(partner, {user_id})]
    assert (late["type"], late["scheduledFor"]) == ("birthday.due", f"{due_at:%Y-%m-%dT%H:%M:%SZ}")
    assert late["lateBySeconds"] >= 1
