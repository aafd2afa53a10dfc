"""POST /endpoint/{id}/enable and /disable: whether its webhooks go out or wait."""

from uuid import UUID

from msgspec import structs

from user_api.change_endpoint import change_endpoint
from user_api.context import Context
from user_api.endpoint import Endpoint
from user_api.entity_tags import ANY


async def switch_endpoint(context: Context, endpoint_id: UUID, *, enabled: bool) -> Endpoint:
    """Enable or disable an endpoint, whatever its version; one that is so already stays as it is.

    Raises UnknownEndpointError.
    """
    return await change_endpoint(context, endpoint_id, ANY, lambda old: structs.replace(old, enabled=enabled))
