"""GET /user: users by id, or those whose birthday is in a window of days, by upcoming day."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct
from runtime.statements import Statements

from user_api.context import Context
from user_api.pages import Page
from user_api.user import User, user_of
from user_api.user_filters import UserFilters, Window, month_day

SQL = Statements("user_api")

NO_ID = UUID(int=0)
JANUARY_1, DECEMBER_31 = 101, 1231


class UserPosition(Struct, frozen=True, array_like=True):
    """Where a user is in a list; `day` is 0 in one that is by id alone."""

    day: Annotated[int, Meta(ge=0, le=DECEMBER_31)]
    id: UUID


async def list_users(context: Context, filters: UserFilters, page: Page[UserPosition]) -> list[User]:
    """Give up to `page.rows` users from the page's beginning on."""
    async with context.connection() as connection:
        if filters.birthdays is None:
            after = page.after.id if page.after else NO_ID
            rows = await connection.fetch(
                SQL["list_users"], after, filters.timezone, filters.email, page.rows
            )
            return [user_of(row) for row in rows]
        users: list[User] = []
        for start, last_day in _spans(filters.birthdays, page.after):
            rows = await connection.fetch(
                SQL["list_birthdays"],
                start.day,
                start.id,
                last_day,
                filters.timezone,
                filters.email,
                page.rows - len(users),
            )
            users += [user_of(row) for row in rows]
            if len(users) == page.rows:
                break
        return users


def position_of(user: User, filters: UserFilters) -> UserPosition:
    """Tell where a user is in the list of these filters."""
    return UserPosition(month_day(user.details.date_of_birth) if filters.birthdays else 0, user.id)


def _spans(window: Window, after: UserPosition | None) -> list[tuple[UserPosition, int]]:
    """Give what is left of a window after a position, as the position before each span and its last day."""
    spans = [(window.first, window.last)]
    if window.first > window.last:
        spans = [(window.first, DECEMBER_31), (JANUARY_1, window.last)]
    begun = [place for place, (first, last) in enumerate(spans) if after and first <= after.day <= last]
    left = [(UserPosition(first, NO_ID), last) for first, last in spans[begun[0] if begun else 0 :]]
    if after and begun:
        left[0] = (after, left[0][1])
    return left
