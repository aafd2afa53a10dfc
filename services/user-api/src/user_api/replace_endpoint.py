"""PUT /endpoint/{id}: the whole of an endpoint anew, but for its secret."""

from uuid import UUID

from msgspec import structs

from user_api.change_endpoint import change_endpoint
from user_api.context import Context
from user_api.endpoint import Endpoint, EndpointDetails
from user_api.endpoint_headers import unmasked
from user_api.entity_tags import Tags


async def replace_endpoint(
    context: Context, endpoint_id: UUID, details: EndpointDetails, if_match: Tags
) -> Endpoint:
    """Replace what an endpoint is; a header whose value is a mask keeps the value that it has.

    Raises UnknownEndpointError, StaleVersionError, InvalidInputError for a mask without a value.
    """

    def replaced(old: EndpointDetails) -> EndpointDetails:
        return structs.replace(details, headers=unmasked(details.headers, old.headers))

    return await change_endpoint(context, endpoint_id, if_match, replaced)
