"""The routes about users: HTTP on one side, a use case on the other."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain.kinds.birthday import BIRTHDAY
from litestar import Request, Response, delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user_api.answer import Answer
from user_api.auth import Role, require, require_user
from user_api.context import Context
from user_api.create_user import user_creator
from user_api.default_times import default_times
from user_api.delete_user import delete_user
from user_api.entity_tags import entity_tag, read_tags, required_if_match
from user_api.list_users import UserPosition, list_users, position_of
from user_api.media_type import require_media_type
from user_api.pages import PAGE_PARAMETERS, Items, answer_page, read_page
from user_api.parse_user import parse_patch, parse_user
from user_api.patch_user import patch_user
from user_api.query import read_query
from user_api.read_body import read_body
from user_api.read_id import path_id
from user_api.read_user import user_reader
from user_api.replace_user import replace_user
from user_api.user import Details, User, UserAnswer, answer_of
from user_api.user_filters import USER_FILTERS, read_user_filters

AnyRequest = Request[Any, Any, Any]

PATCH_TYPES = ("application/merge-patch+json", "application/json")


def user_routes(context: Context) -> list[HTTPRouteHandler]:
    """Make the routes about users."""
    create_user, read_user = user_creator(context), user_reader(context)
    at_local = default_times(context.topology)[BIRTHDAY.occasion_type]

    async def described(request: AnyRequest, user_id: UUID | None) -> Details:
        now = datetime.now(UTC) + context.clock_offset
        return parse_user(await read_body(request), now=now, replaces=user_id, send_at_local=at_local)

    @post("/user")
    async def create(request: AnyRequest) -> Response[UserAnswer]:
        """Create a user; their birthday rings every year from then on."""
        require(request, Role.ADMIN, Role.SERVICE)
        user = await create_user(await described(request, None))
        return _answer(user, 201, {"Location": f"/user/{user.id}"})

    @get("/user")
    async def list_(request: AnyRequest) -> Response[Items[UserAnswer]]:
        """List users by id; with a window of birthdays (MM-DD, it may hold a new year), by upcoming day."""
        require(request, Role.ADMIN, Role.SERVICE)
        query = read_query(request.scope, USER_FILTERS | PAGE_PARAMETERS)
        filters = read_user_filters(query)
        page = read_page(request.scope, query, UserPosition)
        users = await list_users(context.for_reading(request.scope), filters, page)
        return answer_page(
            request.scope,
            query,
            page,
            users,
            position=lambda user: position_of(user, filters),
            answer=answer_of,
        )

    @get("/user/{user_id:str}")
    async def read(request: AnyRequest, user_id: FromPath[str]) -> Response[UserAnswer] | Response[None]:
        """Read a user; with If-None-Match, only if they changed."""
        id_ = path_id(user_id)
        require_user(request, id_)
        known = read_tags(request.scope, "If-None-Match")
        user = await read_user(context.for_reading(request.scope), id_)
        if known is not None and known.match_weakly(user.version):
            return Response(None, status_code=304, headers={"ETag": entity_tag(user.version)})
        return _answer(user)

    @put("/user/{user_id:str}")
    async def replace(request: AnyRequest, user_id: FromPath[str]) -> Response[UserAnswer]:
        """Replace a user, at the version that If-Match names."""
        id_ = path_id(user_id)
        require_user(request, id_)
        if_match = required_if_match(request.scope)
        return _answer(await replace_user(context, id_, await described(request, id_), if_match))

    @patch("/user/{user_id:str}")
    async def update(request: AnyRequest, user_id: FromPath[str]) -> Response[UserAnswer]:
        """Change some of a user by JSON Merge Patch, at the version that If-Match names."""
        id_ = path_id(user_id)
        require_user(request, id_)
        require_media_type(request.scope, PATCH_TYPES, "Accept-Patch")
        if_match = required_if_match(request.scope)
        now = datetime.now(UTC) + context.clock_offset
        changes = parse_patch(await read_body(request), now=now, changes=id_, send_at_local=at_local)
        return _answer(await patch_user(context, id_, changes, if_match))

    @delete("/user/{user_id:str}")
    async def remove(request: AnyRequest, user_id: FromPath[str]) -> None:
        """Delete a user with everything they had, at the version that If-Match names."""
        id_ = path_id(user_id)
        require_user(request, id_)
        await delete_user(context, id_, required_if_match(request.scope))

    return [create, list_, read, replace, update, remove]


def _answer(user: User, status: int = 200, headers: dict[str, str] | None = None) -> Response[UserAnswer]:
    tagged = {"ETag": entity_tag(user.version), **(headers or {})}
    return Answer(answer_of(user), status_code=status, headers=tagged)
