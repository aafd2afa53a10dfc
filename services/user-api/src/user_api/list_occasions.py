"""GET /user/{id}/occasion: a user's birthday, then their other occasions from the oldest on."""

from uuid import UUID

from domain.ids import birthday_occasion_id
from domain.kinds.birthday import BIRTHDAY
from msgspec import Struct
from runtime.statements import Statements

from user_api.context import Context
from user_api.occasion import occasion_of
from user_api.occasion_answer import OccasionAnswer, birthday_answer, occasion_answer
from user_api.pages import Page
from user_api.pause import find_pauses
from user_api.read_user import read_user

SQL = Statements("user_api")


class OccasionPosition(Struct, frozen=True, array_like=True):
    """Where an occasion is in its user's list."""

    id: UUID


# Before every id; a birthday's own is derived, so it has no place among them.
FIRST = OccasionPosition(UUID(int=0))


async def list_occasions(
    context: Context, user_id: UUID, page: Page[OccasionPosition]
) -> list[OccasionAnswer]:
    """Read a page of a user's occasions, and one more if there is one. Raises UnknownUserError."""
    user = await read_user(context, user_id)
    birthday = birthday_occasion_id(user_id)
    ids = [birthday] if page.after is None else []
    after = page.after or FIRST
    async with context.connection() as connection:
        rows = await connection.fetch(SQL["list_occasions"], user_id, after.id, page.rows - len(ids))
        pauses = await find_pauses(connection, [*ids, *(row["id"] for row in rows)])
    first = [birthday_answer(user, pauses.get(id_)) for id_ in ids]
    return first + [occasion_answer(occasion_of(row), pauses.get(row["id"])) for row in rows]


def position_of(occasion: OccasionAnswer) -> OccasionPosition:
    """Tell where an occasion is in the list."""
    return FIRST if occasion.type == BIRTHDAY.occasion_type else OccasionPosition(occasion.id)
