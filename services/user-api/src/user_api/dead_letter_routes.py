"""The routes about dead letters, for admins and services: HTTP on one side, a use case on the other."""

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user_api.auth import Role, require
from user_api.context import Context
from user_api.dead_letter import DeadLetterAnswer, WholeDeadLetter
from user_api.list_dead_letters import (
    DEAD_LETTER_FILTERS,
    DeadLetterPosition,
    list_dead_letters,
    position_of,
    read_dead_letter_filters,
)
from user_api.pages import PAGE_PARAMETERS, Items, answer_page, read_page
from user_api.parse_redrive import RedriveAnswer, parse_redrive
from user_api.query import read_query
from user_api.read_body import read_body
from user_api.read_dead_letter import read_dead_letter
from user_api.read_id import path_id
from user_api.redrive_dead_letters import redrive_dead_letters
from user_api.routes import AnyRequest


def dead_letter_routes(context: Context) -> list[HTTPRouteHandler]:
    """Make the routes about dead letters."""

    @get("/dead-letter")
    async def list_(request: AnyRequest) -> Response[Items[DeadLetterAnswer]]:
        """List dead letters, the newest first."""
        require(request, Role.ADMIN, Role.SERVICE)
        query = read_query(request.scope, DEAD_LETTER_FILTERS | PAGE_PARAMETERS)
        filters = read_dead_letter_filters(query)
        page = read_page(request.scope, query, DeadLetterPosition)
        found = await list_dead_letters(context.for_reading(request.scope), filters, page)
        return answer_page(request.scope, query, page, found, position=position_of, answer=lambda dead: dead)

    @get("/dead-letter/{dead_letter_id:str}")
    async def read(request: AnyRequest, dead_letter_id: FromPath[str]) -> Response[WholeDeadLetter]:
        """Read a dead letter with all it says."""
        require(request, Role.ADMIN, Role.SERVICE)
        return Response(await read_dead_letter(context.for_reading(request.scope), path_id(dead_letter_id)))

    @post("/dead-letter/redrive", status_code=202)
    async def redrive(request: AnyRequest) -> Response[RedriveAnswer]:
        """Send dead letters back to their queues."""
        caller = require(request, Role.ADMIN, Role.SERVICE)
        asked = parse_redrive(await read_body(request))
        return Response(await redrive_dead_letters(context, asked, by=caller.subject), status_code=202)

    return [list_, read, redrive]
