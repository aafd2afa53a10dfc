"""The routes about a user's occasions: HTTP on one side, a use case on the other."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from litestar import Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user_api.auth.caller import require_user
from user_api.context import Context
from user_api.create_occasion import create_occasion
from user_api.default_times import default_times
from user_api.delete_occasion import delete_occasion
from user_api.entity_tags import entity_tag, read_tags, required_if_match
from user_api.list_occasions import OccasionPosition, list_occasions, position_of
from user_api.occasion import OccasionDetails
from user_api.occasion_answer import OccasionAnswer, occasion_answer
from user_api.pages import PAGE_PARAMETERS, Items, answer_page, read_page
from user_api.parse_occasion import NO_IDS, parse_occasion
from user_api.query import read_query
from user_api.read_body import read_body
from user_api.read_id import path_id
from user_api.read_occasion import read_occasion
from user_api.replace_occasion import replace_occasion
from user_api.routes import AnyRequest


def occasion_routes(context: Context) -> list[HTTPRouteHandler]:
    """Make the routes about occasions."""
    at_local = default_times(context.topology)

    async def described(request: AnyRequest, ids: Mapping[str, UUID] = NO_IDS) -> OccasionDetails:
        now = datetime.now(UTC) + context.clock_offset
        return parse_occasion(await read_body(request), now=now, send_at_local=at_local, ids=ids)

    @post("/user/{user_id:str}/occasion")
    async def create(request: AnyRequest, user_id: FromPath[str]) -> Response[OccasionAnswer]:
        """Create an anniversary, a reminder or a notification of a user."""
        id_ = path_id(user_id)
        require_user(request, id_)
        occasion = await create_occasion(context, id_, await described(request))
        return _answer(
            occasion_answer(occasion, None), 201, {"Location": f"/user/{id_}/occasion/{occasion.id}"}
        )

    @get("/user/{user_id:str}/occasion")
    async def list_(request: AnyRequest, user_id: FromPath[str]) -> Response[Items[OccasionAnswer]]:
        """List a user's birthday, which is read-only here, and their other occasions, the oldest first."""
        id_ = path_id(user_id)
        require_user(request, id_)
        query = read_query(request.scope, PAGE_PARAMETERS)
        page = read_page(request.scope, query, OccasionPosition)
        found = await list_occasions(context.for_reading(request.scope), id_, page)
        return answer_page(
            request.scope, query, page, found, position=position_of, answer=lambda occasion: occasion
        )

    @get("/user/{user_id:str}/occasion/{occasion_id:str}")
    async def read(
        request: AnyRequest, user_id: FromPath[str], occasion_id: FromPath[str]
    ) -> Response[OccasionAnswer] | Response[None]:
        """Read an occasion; with If-None-Match, only if it changed."""
        ids = _ids(user_id, occasion_id)
        require_user(request, ids["userId"])
        known = read_tags(request.scope, "If-None-Match")
        occasion = await read_occasion(context.for_reading(request.scope), ids["userId"], ids["id"])
        if known is not None and known.match_weakly(occasion.version):
            return Response(None, status_code=304, headers={"ETag": entity_tag(occasion.version)})
        return _answer(occasion)

    @put("/user/{user_id:str}/occasion/{occasion_id:str}")
    async def replace(
        request: AnyRequest, user_id: FromPath[str], occasion_id: FromPath[str]
    ) -> Response[OccasionAnswer]:
        """Replace an occasion, at the version that If-Match names; one that rang once stays as it is."""
        ids = _ids(user_id, occasion_id)
        require_user(request, ids["userId"])
        if_match = required_if_match(request.scope)
        details = await described(request, ids)
        return _answer(await replace_occasion(context, ids["userId"], ids["id"], details, if_match))

    @delete("/user/{user_id:str}/occasion/{occasion_id:str}")
    async def remove(request: AnyRequest, user_id: FromPath[str], occasion_id: FromPath[str]) -> None:
        """Delete an occasion, at the version that If-Match names; it rings no more."""
        ids = _ids(user_id, occasion_id)
        require_user(request, ids["userId"])
        await delete_occasion(context, ids["userId"], ids["id"], required_if_match(request.scope))

    return [create, list_, read, replace, remove]


def _ids(user_id: str, occasion_id: str) -> dict[str, UUID]:
    """Read both ids of an address, as the fields of an occasion that have them."""
    return {"userId": path_id(user_id, "userId"), "id": path_id(occasion_id)}


def _answer(
    occasion: OccasionAnswer, status: int = 200, headers: dict[str, str] | None = None
) -> Response[OccasionAnswer]:
    tagged = {"ETag": entity_tag(occasion.version), **(headers or {})}
    return Response(occasion, status_code=status, headers=tagged)
