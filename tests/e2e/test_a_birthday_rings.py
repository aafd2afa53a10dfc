from datetime import timedelta
from uuid import UUID, uuid5

import pytest
from testkit.receiver import Receiver
from testkit.wait import eventually

from tests.running_system import Carillon, posts_for, soon

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_birthday_rings_once_signed_at_its_local_time(carillon: Carillon, partner: Receiver) -> None:
    due_at = soon(2)
    user_id = await carillon.create_user_due_at(due_at, timezone="America/St_Johns", name="Grace")

    await eventually(lambda: posts_for(partner, {user_id}), within=15, message="no webhook came")
    await eventually(lambda: carillon.finished({user_id}), within=15, message="no outcome was recorded")

    [received] = posts_for(partner, {user_id})
    local_date = received.body["localDate"]
    event_id = str(uuid5(uuid5(UUID(user_id), "birthday"), local_date))
    assert received.valid
    assert received.webhook_id == event_id
    assert received.headers["idempotency-key"] == event_id
    assert {**received.body, "timestamp": "any", "localDate": "any"} == {
        "type": "birthday.due",
        "message": "Hey, Grace Lovelace it's your birthday",
        "userId": user_id,
        "eventId": event_id,
        "timestamp": "any",
        "scheduledFor": due_at.isoformat().replace("+00:00", "Z"),
        "lateBySeconds": 0,
        "localDate": "any",
        "timezone": "America/St_Johns",
    }
    assert await carillon.finished({user_id}) == {"COMPLETED": 1}


async def test_next_years_birthday_is_planned_when_this_years_rings(carillon: Carillon) -> None:
    due_at = soon(2)
    user_id = await carillon.create_user_due_at(due_at, timezone="UTC")

    await eventually(lambda: carillon.finished({user_id}), within=15, message="it did not ring")

    [row] = await carillon.fetch(
        "SELECT status, after_date, due_at FROM schedule.occurrences WHERE user_id = $1", user_id
    )
    assert tuple(row) == ("PENDING", due_at.date().isoformat(), due_at.replace(year=due_at.year + 1))


async def test_a_deleted_user_is_not_rung(carillon: Carillon, partner: Receiver) -> None:
    due_at = soon(4)
    doomed = await carillon.create_user_due_at(due_at)
    witness = await carillon.create_user_due_at(due_at + timedelta(seconds=1))

    await eventually(lambda: carillon.planned({doomed}), within=3, message="it was not planned")
    deleted = await carillon.api.delete(f"/user/{doomed}", headers={"If-Match": '"1"'})
    await eventually(lambda: posts_for(partner, {witness}), within=20, message="the witness was not rung")

    assert deleted.status_code == 204
    assert posts_for(partner, {doomed}) == []
    assert await carillon.finished({doomed}) == {"CANCELLED": 1}


async def test_a_birthday_moved_to_another_zone_rings_at_the_new_local_time(
    carillon: Carillon, partner: Receiver
) -> None:
    due_at = soon(4)
    user = await carillon.create_user(
        firstName="Alan",
        lastName="Turing",
        dateOfBirth=due_at.date().replace(year=1990).isoformat(),
        timezone="Pacific/Pago_Pago",
        sendAtLocal=due_at.strftime("%H:%M:%S"),
    )
    body = {
        name: user[name] for name in ("firstName", "lastName", "dateOfBirth", "sendAtLocal", "leapDayPolicy")
    }

    moved = await carillon.api.put(
        f"/user/{user['id']}", json={**body, "timezone": "UTC"}, headers={"If-Match": '"1"'}
    )
    await eventually(
        lambda: posts_for(partner, {user["id"]}), within=20, message="it did not ring in the new zone"
    )

    assert moved.json()["version"] == 2
    [received] = posts_for(partner, {user["id"]})
    assert received.body["timezone"] == "UTC"
    assert received.body["scheduledFor"] == due_at.isoformat().replace("+00:00", "Z")
