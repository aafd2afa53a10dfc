import msgspec
import pytest
from standardwebhooks import Webhook
from testkit.receiver import Receiver
from testkit.wait import eventually

from tests.running_system import Carillon, posts_for, registered, soon

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_partners_register_is_sent_to_each_of_them_and_a_rotated_secret_signs_at_once(
    carillon: Carillon, partner: Receiver
) -> None:
    async with (
        registered(carillon, headers={"X-Team": "birthdays"}) as (endpoint_id, first),
        registered(carillon, eventTypes=["birthday.due"]) as (_, second),
        registered(carillon, eventTypes=["reminder.due"]) as (_, third),
    ):
        rotated = await carillon.api.post(f"/endpoint/{endpoint_id}/rotate-secret")
        user_id = await carillon.create_user_due_at(soon(2))
        first.reply_with([503], user_id=user_id)

        await eventually(lambda: posts_for(second, {user_id}), within=15, message="no webhook came")
        await eventually(lambda: carillon.finished({user_id}), within=25, message="no outcome was recorded")

        tried, again = posts_for(first, {user_id})
        [once] = posts_for(second, {user_id})
        assert tried.webhook_id == again.webhook_id == once.webhook_id
        assert (tried.valid, again.valid, once.valid) == (True, True, True)
        assert again.headers["x-team"] == "birthdays"
        Webhook(rotated.json()["secret"]).verify(msgspec.json.encode(again.body), again.headers)
        assert posts_for(third, {user_id}) == posts_for(partner, {user_id}) == []
        assert await carillon.finished({user_id}) == {"COMPLETED": 1}
