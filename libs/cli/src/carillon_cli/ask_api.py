"""One request to the REST API, answered with JSON or with one line that says why not."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct

from carillon_cli.cannot import CannotError

ANSWER_SECONDS = 60
MOST_ON_A_PAGE = 500
HOW_TO_BE_LET_IN = " Give the token of an admin or a service with --token or CARILLON_TOKEN."
WHERE_IT_IS = "--api-url or CARILLON_API_URL says where it is"


class FieldFault(Struct, frozen=True):
    """What is wrong with one field of a request."""

    field: str
    reason: str


class Problem(Struct, frozen=True):
    """What is read of a problem document."""

    detail: str
    errors: tuple[FieldFault, ...] = ()


class Api(Struct, frozen=True):
    """Where the API is, and as whom it is asked."""

    url: str
    token: str | None


def get(api: Api, path: str, query: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Read something. Raises CannotError."""
    given = {name: str(value) for name, value in (query or {}).items() if value is not None}
    return asyncio.run(_ask(api, "GET", path, query=given))


def post(api: Api, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Have something done. Raises CannotError."""
    given = body and {name: value for name, value in body.items() if value is not None}
    return asyncio.run(_ask(api, "POST", path, body=given))


def get_items(api: Api, path: str, query: Mapping[str, object], *, most: int) -> list[dict[str, Any]]:
    """Read `most` items of a list, over as many pages as that takes. Raises CannotError."""
    items: list[dict[str, Any]] = []
    cursor = None
    while len(items) < most:
        limit = min(most - len(items), MOST_ON_A_PAGE)
        page = get(api, path, {**query, "limit": limit, "cursor": cursor})
        items += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    return items


async def _ask(
    api: Api,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    url = f"{api.url.rstrip('/')}{path}"
    headers = {"Authorization": f"Bearer {api.token}"} if api.token else {}
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.request(
                method, url, params=query, json=body, headers=headers, allow_redirects=False
            ) as answer,
        ):
            text = await answer.read()
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise _refusal(answer.status, text)
            return msgspec.json.decode(text, type=dict[str, Any])
    except (aiohttp.ClientError, OSError, ValueError) as error:
        why = str(error) or type(error).__name__
        raise CannotError(f"cannot ask {url} ({why}): is the API running? {WHERE_IT_IS}") from None


def _refusal(status: int, text: bytes) -> CannotError:
    try:
        problem = msgspec.json.decode(text, type=Problem)
    except msgspec.DecodeError:
        return CannotError(f"{status}, and no answer of Carillon's API: {WHERE_IT_IS}")
    said = "; ".join(f"{fault.field} {fault.reason}" for fault in problem.errors) or problem.detail
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        said += HOW_TO_BE_LET_IN
    return CannotError(f"the API answered {status}: {said}")
