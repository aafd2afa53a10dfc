"""The routes about deliveries, for admins and services: HTTP on one side, a use case on the other."""

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user_api.auth import Role, require
from user_api.context import Context
from user_api.delivery import DeliveryAnswer, DeliveryWithAttempts, delivery_answer
from user_api.delivery_filters import DELIVERY_FILTERS, read_delivery_filters
from user_api.list_deliveries import DeliveryPosition, list_deliveries, position_of
from user_api.pages import PAGE_PARAMETERS, Items, answer_page, read_page
from user_api.parse_replay import parse_replay
from user_api.query import read_query
from user_api.read_body import read_body
from user_api.read_delivery import read_delivery
from user_api.read_id import path_id
from user_api.replay import ReplayAnswer
from user_api.request_replay import read_replay, request_replay
from user_api.retry_delivery import retry_delivery
from user_api.routes import AnyRequest


def delivery_routes(context: Context) -> list[HTTPRouteHandler]:
    """Make the routes about deliveries and replays."""
    return [*_routes_of_reading(context), *_routes_of_replaying(context)]


def _routes_of_reading(context: Context) -> list[HTTPRouteHandler]:
    @get("/delivery")
    async def list_(request: AnyRequest) -> Response[Items[DeliveryAnswer]]:
        """List deliveries, the newest first."""
        require(request, Role.ADMIN, Role.SERVICE)
        query = read_query(request.scope, DELIVERY_FILTERS | PAGE_PARAMETERS)
        filters = read_delivery_filters(query)
        page = read_page(request.scope, query, DeliveryPosition)
        found = await list_deliveries(context.for_reading(request.scope), filters, page)
        return answer_page(request.scope, query, page, found, position=position_of, answer=delivery_answer)

    @get("/delivery/{delivery_id:str}")
    async def read(request: AnyRequest, delivery_id: FromPath[str]) -> Response[DeliveryWithAttempts]:
        """Read a delivery with its attempts."""
        require(request, Role.ADMIN, Role.SERVICE)
        return Response(await read_delivery(context.for_reading(request.scope), path_id(delivery_id)))

    @get("/replay/{replay_id:str}")
    async def read_one(request: AnyRequest, replay_id: FromPath[str]) -> Response[ReplayAnswer]:
        """Tell how far a replay has come."""
        require(request, Role.ADMIN, Role.SERVICE)
        return Response(await read_replay(context.for_reading(request.scope), path_id(replay_id)))

    return [list_, read, read_one]


def _routes_of_replaying(context: Context) -> list[HTTPRouteHandler]:
    @post("/delivery/{delivery_id:str}/retry", status_code=202)
    async def retry(request: AnyRequest, delivery_id: FromPath[str]) -> Response[DeliveryAnswer]:
        """Send a delivery again, or sooner."""
        require(request, Role.ADMIN, Role.SERVICE)
        return Response(await retry_delivery(context, path_id(delivery_id)), status_code=202)

    @post("/delivery/retry", status_code=202)
    async def replay(request: AnyRequest) -> Response[ReplayAnswer]:
        """Send again what an endpoint has missed."""
        caller = require(request, Role.ADMIN, Role.SERVICE)
        asked = parse_replay(await read_body(request))
        made = await request_replay(context, asked, by=caller.subject)
        return Response(made, status_code=202, headers={"Location": f"/replay/{made.id}"})

    return [retry, replay]
