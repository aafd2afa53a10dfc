"""The routes that pause and resume an occasion: HTTP on one side, a use case on the other."""

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user_api.auth.caller import require_user
from user_api.context import Context
from user_api.entity_tags import entity_tag
from user_api.occasion_answer import OccasionAnswer
from user_api.parse_note import parse_note
from user_api.pause_occasion import pause_occasion, resume_occasion
from user_api.read_body import read_body
from user_api.read_id import path_id
from user_api.routes import AnyRequest


def pause_routes(context: Context) -> list[HTTPRouteHandler]:
    """Make the routes that pause and resume an occasion."""

    @post("/user/{user_id:str}/occasion/{occasion_id:str}/pause")
    async def pause(
        request: AnyRequest, user_id: FromPath[str], occasion_id: FromPath[str]
    ) -> Response[OccasionAnswer]:
        """Hold back an occasion until it is resumed; the note says why."""
        owner_id, id_ = path_id(user_id, "userId"), path_id(occasion_id)
        caller = require_user(request, owner_id)
        note = parse_note(await read_body(request))
        return _answer(await pause_occasion(context, owner_id, id_, note=note, by=caller.subject))

    @post("/user/{user_id:str}/occasion/{occasion_id:str}/resume")
    async def resume(
        request: AnyRequest, user_id: FromPath[str], occasion_id: FromPath[str]
    ) -> Response[OccasionAnswer]:
        """Let an occasion ring again."""
        owner_id, id_ = path_id(user_id, "userId"), path_id(occasion_id)
        require_user(request, owner_id)
        return _answer(await resume_occasion(context, owner_id, id_))

    return [pause, resume]


def _answer(occasion: OccasionAnswer) -> Response[OccasionAnswer]:
    return Response(occasion, status_code=200, headers={"ETag": entity_tag(occasion.version)})
