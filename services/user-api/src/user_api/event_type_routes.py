"""The routes about due event types: HTTP on one side, a use case on the other."""

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user_api.auth.caller import Role, require
from user_api.context import Context
from user_api.event_types import (
    EventTypeAnswer,
    EventTypeItems,
    list_event_types,
    pause_event_type,
    resume_event_type,
)
from user_api.parse_note import parse_note
from user_api.query import read_query
from user_api.read_body import read_body
from user_api.routes import AnyRequest


def event_type_routes(context: Context) -> list[HTTPRouteHandler]:
    """Make the routes about due event types."""

    @get("/event-type")
    async def list_(request: AnyRequest) -> Response[EventTypeItems]:
        """List the due event types, each with its pause if it is paused."""
        require(request, Role.ADMIN, Role.SERVICE)
        read_query(request.scope, ())
        items = await list_event_types(context.for_reading(request.scope))
        return Response(EventTypeItems(items=items))

    @post("/event-type/{name:str}/pause")
    async def pause(request: AnyRequest, name: FromPath[str]) -> Response[EventTypeAnswer]:
        """Hold back every occasion of a type until it is resumed; the note says why."""
        caller = require(request, Role.ADMIN, Role.SERVICE)
        note = parse_note(await read_body(request))
        paused = await pause_event_type(context, name, note=note, by=caller.subject)
        return Response(paused, status_code=200)

    @post("/event-type/{name:str}/resume")
    async def resume(request: AnyRequest, name: FromPath[str]) -> Response[EventTypeAnswer]:
        """Let a type ring again."""
        require(request, Role.ADMIN, Role.SERVICE)
        return Response(await resume_event_type(context, name), status_code=200)

    return [list_, pause, resume]
