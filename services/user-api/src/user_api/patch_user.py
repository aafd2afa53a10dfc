"""PATCH /user/{id}: some of a user anew, by JSON Merge Patch (RFC 7396)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import structs

from user_api.change_user import change_user
from user_api.context import Context
from user_api.entity_tags import Tags
from user_api.user import User


async def patch_user(context: Context, user_id: UUID, patch: Mapping[str, Any], if_match: Tags) -> User:
    """Set the attributes of Details that `patch` names; all else stays as it is when the change is made.

    Raises UnknownUserError, StaleVersionError, EmailTakenError, InvalidInputError for a birth in the future.
    """
    return await change_user(context, user_id, if_match, lambda old: structs.replace(old, **patch))
