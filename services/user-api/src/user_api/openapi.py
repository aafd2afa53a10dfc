"""The OpenAPI document, as a document only: no page that loads its parts from elsewhere."""

from collections.abc import Sequence

import msgspec
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig

from user_api import __version__


def openapi_route(handlers: Sequence[HTTPRouteHandler]) -> HTTPRouteHandler:
    """Make GET /openapi.json, which describes `handlers`."""
    # By an application that is never served: a served one adds HTML pages of its own beside the document.
    described = Litestar(
        route_handlers=handlers,
        openapi_config=OpenAPIConfig(title="Carillon", version=__version__),
        logging_config=None,
    )
    body = msgspec.json.encode(described.openapi_schema.to_schema())

    @get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response[bytes]:
        """Answer the document."""
        return Response(body, media_type="application/json")

    return openapi
