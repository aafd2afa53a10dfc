"""SIGKILL around the due moment: every occurrence arrives, every POST of it under one webhook-id."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from testkit.receiver import Receiver
from testkit.wait import eventually

from tests.running_system import Carillon, posts_for, soon

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

# When the kills fall, seconds after a due moment: before it, while it is claimed, while it is delivered.
KILLS = (-0.2, 0.02, 0.15)
APART = timedelta(seconds=4)
USERS_A_MOMENT = 4


async def until(moment: datetime) -> None:
    """Wait for a moment of the wall clock: that is what the kills are timed by."""
    loop = asyncio.get_running_loop()
    reached = asyncio.Event()
    loop.call_later(max(0.0, (moment - datetime.now(UTC)).total_seconds()), reached.set)
    await reached.wait()


async def ring_and_kill(carillon: Carillon, victim: str) -> set[str]:
    """Have users rung at three moments, killing and restarting `victim` around each; return the users."""
    first = soon(5)
    moments = [first + APART * number for number in range(len(KILLS))]
    users = {
        await carillon.create_user_due_at(moment, name=f"User{number}")
        for moment in moments
        for number in range(USERS_A_MOMENT)
    }
    for moment, after in zip(moments, KILLS, strict=True):
        await until(moment + timedelta(seconds=after))
        await carillon.system.kill(victim)
        await carillon.system.restart(victim)
    return users


def all_arrived(carillon: Carillon, users: set[str]) -> Callable[[], Awaitable[bool]]:
    async def arrived() -> bool:
        return await carillon.finished(users) == {"COMPLETED": len(users)}

    return arrived


@pytest.mark.parametrize(
    "victim", ["user-api", "scheduler", "dispatcher", "webhook-worker", "engine", "postgres"]
)
async def test_killing_it_around_the_due_moment_loses_nothing(
    carillon: Carillon, partner: Receiver, victim: str
) -> None:
    users = await ring_and_kill(carillon, victim)

    await eventually(all_arrived(carillon, users), within=60, message=f"lost after killing {victim}")

    posts = Counter((post.body["userId"], post.webhook_id) for post in posts_for(partner, users))
    assert sorted(user_id for user_id, _ in posts) == sorted(users)
    # An answer that was not yet recorded when the worker, or its database, died is asked for once more.
    may_repeat = victim in {"webhook-worker", "postgres"}
    repeated = {post: times for post, times in posts.items() if times > 1}
    assert may_repeat or repeated == {}
    # Only the last of the three kills falls while POSTs are under way.
    assert len(repeated) <= USERS_A_MOMENT
