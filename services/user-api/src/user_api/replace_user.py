"""PUT /user/{id}: the whole of a user anew."""

from uuid import UUID

from user_api.change_user import change_user
from user_api.context import Context
from user_api.entity_tags import Tags
from user_api.user import Details, User


async def replace_user(context: Context, user_id: UUID, details: Details, if_match: Tags) -> User:
    """Replace what a user is; where nothing differs, nothing happens and the version stays.

    Raises UnknownUserError, StaleVersionError, EmailTakenError, InvalidInputError for a birth in the future.
    """
    return await change_user(context, user_id, if_match, lambda _: details)
