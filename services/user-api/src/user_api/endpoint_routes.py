"""The routes about endpoints, for admins and services: HTTP on one side, a use case on the other."""

from litestar import Response, delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user_api.auth import Role, require
from user_api.context import Context
from user_api.create_endpoint import create_endpoint
from user_api.delete_endpoint import delete_endpoint
from user_api.endpoint import (
    Endpoint,
    EndpointAnswer,
    EndpointMadeAnswer,
    RotatedSecretAnswer,
    endpoint_answer,
    endpoint_made_answer,
    rotated_secret_answer,
)
from user_api.entity_tags import entity_tag, read_tags, required_if_match
from user_api.list_endpoints import EndpointPosition, list_endpoints, position_of
from user_api.media_type import require_media_type
from user_api.pages import PAGE_PARAMETERS, Items, answer_page, read_page
from user_api.parse_endpoint import parse_endpoint, parse_endpoint_patch
from user_api.patch_endpoint import patch_endpoint
from user_api.query import read_query
from user_api.read_body import read_body
from user_api.read_endpoint import read_endpoint
from user_api.read_id import path_id
from user_api.replace_endpoint import replace_endpoint
from user_api.rotate_secret import rotate_secret
from user_api.routes import PATCH_TYPES, AnyRequest
from user_api.switch_endpoint import switch_endpoint
from user_api.try_endpoint import EndpointTestAnswer, try_endpoint


def endpoint_routes(context: Context) -> list[HTTPRouteHandler]:
    """Make the routes about endpoints."""
    return [*_routes_of_all(context), *_routes_of_one(context), *_routes_of_switches(context)]


def _routes_of_all(context: Context) -> list[HTTPRouteHandler]:
    @post("/endpoint")
    async def create(request: AnyRequest) -> Response[EndpointMadeAnswer]:
        """Create an endpoint; its secret is answered this once."""
        require(request, Role.ADMIN, Role.SERVICE)
        endpoint, secret = await create_endpoint(context, parse_endpoint(await read_body(request)))
        return Response(
            endpoint_made_answer(endpoint, secret),
            status_code=201,
            headers={"ETag": entity_tag(endpoint.version), "Location": f"/endpoint/{endpoint.id}"},
        )

    @get("/endpoint")
    async def list_(request: AnyRequest) -> Response[Items[EndpointAnswer]]:
        """List endpoints, the oldest first."""
        require(request, Role.ADMIN, Role.SERVICE)
        query = read_query(request.scope, PAGE_PARAMETERS)
        page = read_page(request.scope, query, EndpointPosition)
        found = await list_endpoints(context.for_reading(request.scope), page)
        return answer_page(request.scope, query, page, found, position=position_of, answer=endpoint_answer)

    return [create, list_]


def _routes_of_one(context: Context) -> list[HTTPRouteHandler]:
    @get("/endpoint/{endpoint_id:str}")
    async def read(
        request: AnyRequest, endpoint_id: FromPath[str]
    ) -> Response[EndpointAnswer] | Response[None]:
        """Read an endpoint; with If-None-Match, only if it changed."""
        require(request, Role.ADMIN, Role.SERVICE)
        id_ = path_id(endpoint_id)
        known = read_tags(request.scope, "If-None-Match")
        endpoint = await read_endpoint(context.for_reading(request.scope), id_)
        if known is not None and known.match_weakly(endpoint.version):
            return Response(None, status_code=304, headers={"ETag": entity_tag(endpoint.version)})
        return _answer(endpoint)

    @put("/endpoint/{endpoint_id:str}")
    async def replace(request: AnyRequest, endpoint_id: FromPath[str]) -> Response[EndpointAnswer]:
        """Replace an endpoint but for its secret, at the version that If-Match names."""
        require(request, Role.ADMIN, Role.SERVICE)
        id_ = path_id(endpoint_id)
        if_match = required_if_match(request.scope)
        details = parse_endpoint(await read_body(request), replaces=id_)
        return _answer(await replace_endpoint(context, id_, details, if_match))

    @patch("/endpoint/{endpoint_id:str}")
    async def update(request: AnyRequest, endpoint_id: FromPath[str]) -> Response[EndpointAnswer]:
        """Change some of an endpoint by JSON Merge Patch, at the version that If-Match names."""
        require(request, Role.ADMIN, Role.SERVICE)
        id_ = path_id(endpoint_id)
        require_media_type(request.scope, PATCH_TYPES, "Accept-Patch")
        if_match = required_if_match(request.scope)
        changes = parse_endpoint_patch(await read_body(request), changes=id_)
        return _answer(await patch_endpoint(context, id_, changes, if_match))

    @delete("/endpoint/{endpoint_id:str}")
    async def remove(request: AnyRequest, endpoint_id: FromPath[str]) -> None:
        """Remove an endpoint, at the version that If-Match names; nothing goes there any more."""
        require(request, Role.ADMIN, Role.SERVICE)
        await delete_endpoint(context, path_id(endpoint_id), required_if_match(request.scope))

    return [read, replace, update, remove]


def _routes_of_switches(context: Context) -> list[HTTPRouteHandler]:
    @post("/endpoint/{endpoint_id:str}/rotate-secret", status_code=200)
    async def rotate(request: AnyRequest, endpoint_id: FromPath[str]) -> Response[RotatedSecretAnswer]:
        """Make another secret, answered this once; the one before signs as well for a day."""
        require(request, Role.ADMIN, Role.SERVICE)
        endpoint, secret = await rotate_secret(context, path_id(endpoint_id))
        answer = rotated_secret_answer(endpoint, secret)
        return Response(answer, headers={"ETag": entity_tag(endpoint.version)})

    @post("/endpoint/{endpoint_id:str}/enable", status_code=200)
    async def enable(request: AnyRequest, endpoint_id: FromPath[str]) -> Response[EndpointAnswer]:
        """Enable an endpoint; what waited goes out."""
        require(request, Role.ADMIN, Role.SERVICE)
        return _answer(await switch_endpoint(context, path_id(endpoint_id), enabled=True))

    @post("/endpoint/{endpoint_id:str}/disable", status_code=200)
    async def disable(request: AnyRequest, endpoint_id: FromPath[str]) -> Response[EndpointAnswer]:
        """Disable an endpoint; its deliveries wait."""
        require(request, Role.ADMIN, Role.SERVICE)
        return _answer(await switch_endpoint(context, path_id(endpoint_id), enabled=False))

    @post("/endpoint/{endpoint_id:str}/test", status_code=200)
    async def test(request: AnyRequest, endpoint_id: FromPath[str]) -> Response[EndpointTestAnswer]:
        """Send a real, signed `endpoint.test` and answer what came back."""
        require(request, Role.ADMIN, Role.SERVICE)
        return Response(await try_endpoint(context, path_id(endpoint_id)))

    return [rotate, enable, disable, test]


def _answer(endpoint: Endpoint) -> Response[EndpointAnswer]:
    return Response(endpoint_answer(endpoint), headers={"ETag": entity_tag(endpoint.version)})
