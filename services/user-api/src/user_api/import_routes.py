"""The route of the import."""

from typing import Any

from litestar import Request, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from user_api.answer_import import MEDIA_TYPE, answer_import
from user_api.context import Context
from user_api.media_type import require_media_type
from user_api.query import read_query
from user_api.refusals import FieldProblem, InvalidInputError

RESULTS = ("all", "invalid")


def import_routes(context: Context) -> list[HTTPRouteHandler]:
    """Make the route of the import."""

    @post("/user/import", status_code=200)
    async def import_(request: Request[Any, Any, Any]) -> ASGIApp:
        """Create users from NDJSON of any length: a user a line in, what became of each line out, at once.

        A line is a user as in POST /user, with a `key` of the client's or an `email`, by which it is known
        again: importing it twice creates one user. The results are sent while lines are read, so read them
        meanwhile, or ask for `?results=invalid`. The last line tells through which line all is done for good.
        """
        results = read_query(request.scope, ("results",)).get("results", "all")
        if results not in RESULTS:
            raise InvalidInputError([FieldProblem("results", f"is none of {', '.join(RESULTS)}")])
        require_media_type(request.scope, (MEDIA_TYPE,), "Accept-Post")
        return answer_import(context, only_invalid=results == "invalid")

    return [import_]
