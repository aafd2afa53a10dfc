"""The routes about a user's occurrences: HTTP on one side, a use case on the other."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from user_api.auth.caller import require_user
from user_api.context import Context
from user_api.list_occurrences import OccurrencePosition, list_occurrences, position_of
from user_api.media_type import require_media_type
from user_api.occurrence_answer import OccurrenceAnswer, UpcomingItems, occurrence_answer
from user_api.pages import PAGE_PARAMETERS, Items, answer_page, read_page
from user_api.parse_fields import FieldError
from user_api.parse_occasion_fields import instant
from user_api.parse_user import parse_patch
from user_api.preview_change import MoveItems, preview_change
from user_api.preview_occurrences import preview_occurrences
from user_api.query import read_query
from user_api.read_body import read_body
from user_api.read_id import path_id
from user_api.refusals import FieldProblem, InvalidInputError
from user_api.routes import PATCH_TYPES, AnyRequest

DEFAULT_NEXT = 10
MOST_NEXT = 50

_NEXT = re.compile(r"[0-9]{1,9}")


def occurrence_routes(context: Context) -> list[HTTPRouteHandler]:
    """Make the routes about occurrences."""

    @get("/user/{user_id:str}/occurrence")
    async def list_(
        request: AnyRequest, user_id: FromPath[str]
    ) -> Response[UpcomingItems] | Response[Items[OccurrenceAnswer]]:
        """Preview the `next` dates of all of a user's occasions; or, with `since`, page through real ones."""
        id_ = path_id(user_id)
        require_user(request, id_)
        query = read_query(request.scope, PAGE_PARAMETERS | {"next", "since"})
        if "since" not in query:
            return Response(
                UpcomingItems(
                    items=await preview_occurrences(context.for_reading(request.scope), id_, _next(query))
                )
            )
        since = _since(query)
        page = read_page(request.scope, query, OccurrencePosition)
        return answer_page(
            request.scope,
            query,
            page,
            await list_occurrences(context.for_reading(request.scope), id_, since, page),
            position=position_of,
            answer=occurrence_answer,
        )

    @post("/user/{user_id:str}/change-preview")
    async def preview(request: AnyRequest, user_id: FromPath[str]) -> Response[MoveItems]:
        """Tell what a change of a user would move, by a merge patch as PATCH takes it; nothing is changed."""
        id_ = path_id(user_id)
        require_user(request, id_)
        require_media_type(request.scope, PATCH_TYPES, "Accept-Post")
        patch = parse_patch(
            await read_body(request), now=datetime.now(UTC) + context.clock_offset, changes=id_
        )
        return Response(MoveItems(items=await preview_change(context, id_, patch)), status_code=200)

    return [list_, preview]


def _next(query: Mapping[str, str]) -> int:
    faults = [FieldProblem(name, "goes with since") for name in sorted(PAGE_PARAMETERS & query.keys())]
    text = query.get("next", str(DEFAULT_NEXT))
    if not (_NEXT.fullmatch(text) and 1 <= int(text) <= MOST_NEXT):
        faults.append(FieldProblem("next", f"is not a whole number from 1 to {MOST_NEXT}"))
    if faults:
        raise InvalidInputError(faults)
    return int(text)


def _since(query: Mapping[str, str]) -> datetime:
    if "next" in query:
        raise InvalidInputError([FieldProblem(name, "excludes the other") for name in ("next", "since")])
    try:
        return instant(query["since"])
    except FieldError as error:
        raise InvalidInputError([FieldProblem("since", str(error))]) from None
