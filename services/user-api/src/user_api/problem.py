"""A problem document (RFC 9457), and how it is sent."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.types import Scope, Send
from msgspec import Struct

from user_api.refusals import FieldProblem

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = {"Retry-After": "2"}  # seconds


class Problem(Struct, frozen=True, kw_only=True):
    """What is wrong, whatever the request; `kind` ends the document's `type`."""

    kind: str
    title: str
    status: int
    detail: str
    errors: tuple[FieldProblem, ...] = ()
    headers: dict[str, str] = {}


class ProblemDocument(Struct, frozen=True, kw_only=True, rename="camel"):
    """A problem as it is answered."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: tuple[FieldProblem, ...]
    request_id: str


def answer_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """Answer a problem."""
    return Response(
        document(request.scope, problem),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


async def send_problem(scope: Scope, send: Send, problem: Problem) -> None:
    """Answer a problem where there is no Litestar around."""
    body = document(scope, problem)
    headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), **problem.headers}
    await send(
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


def problem_type(problem: Problem) -> str:
    """Give the URI that names a kind of problem."""
    return f"urn:carillon:problem:{problem.kind}"


def document(scope: Scope, problem: Problem) -> bytes:
    """Give the document of a problem with this request."""
    instance = scope["raw_path"].decode("ascii", "replace")
    return msgspec.json.encode(
        problem_document(problem, instance=instance, request_id=scope["state"]["request_id"])
    )


def problem_document(problem: Problem, *, instance: str, request_id: str) -> ProblemDocument:
    """Give the document of a problem with the request of that path and id."""
    return ProblemDocument(
        type=problem_type(problem),
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        instance=instance,
        errors=problem.errors,
        request_id=request_id,
    )
