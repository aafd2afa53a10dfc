"""PATCH /endpoint/{id}: some of an endpoint anew, by JSON Merge Patch (RFC 7396)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import structs

from user_api.change_endpoint import change_endpoint
from user_api.context import Context
from user_api.endpoint import Endpoint, EndpointDetails
from user_api.endpoint_headers import patched
from user_api.entity_tags import Tags


async def patch_endpoint(
    context: Context, endpoint_id: UUID, patch: Mapping[str, Any], if_match: Tags
) -> Endpoint:
    """Set the attributes of EndpointDetails that `patch` names; its headers are merged into those there are.

    Raises UnknownEndpointError, StaleVersionError, InvalidInputError for headers that cannot be.
    """

    def changed(old: EndpointDetails) -> EndpointDetails:
        headers = old.headers
        if "headers" in patch:
            headers = {} if patch["headers"] is None else patched(old.headers, patch["headers"])
        return structs.replace(old, **{**patch, "headers": headers})

    return await change_endpoint(context, endpoint_id, if_match, changed)
