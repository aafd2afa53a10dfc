"""Pages of a list: `limit` and `cursor` in; items, `nextCursor` and Link headers (RFC 8288) out.

A list orders its items by something that never changes and is unique: their position. A page begins after a
position, so what is inserted or deleted meanwhile neither repeats an item nor leaves one out.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Generic, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Response
from litestar.types import Scope
from msgspec import Struct

from user_api.refusals import FieldProblem, InvalidInputError

PAGE_PARAMETERS = frozenset({"limit", "cursor"})
DEFAULT_LIMIT = 50
MOST_ITEMS = 500
CURSOR_VERSION = 1
CURSOR_PATTERN = r"^[A-Za-z0-9_-]{1,400}$"

_LIMIT = re.compile(r"[0-9]{1,9}")
_CURSOR = re.compile(CURSOR_PATTERN)

Position = TypeVar("Position", bound=Struct)
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Page(Struct, Generic[Position], frozen=True, kw_only=True):
    """What page is asked for; `after` is the position before its first item, None at the list's beginning."""

    limit: int
    after: Position | None

    @property
    def rows(self) -> int:
        """How many rows to fetch: one more than are answered tells whether there is a next page."""
        return self.limit + 1


class Items(Struct, Generic[Answer], frozen=True, kw_only=True, rename="camel"):
    """One page; `next_cursor` leads to the next one and is null on the last."""

    items: list[Answer]
    next_cursor: str | None


class _Cursor(Struct, frozen=True, array_like=True):
    version: int
    list_of: bytes
    position: msgspec.Raw


def read_page(scope: Scope, query: Mapping[str, str], position: type[Position]) -> Page[Position]:
    """Read which page `query` asks for; `position` is a Struct of what the list orders by.

    Anybody can make a cursor up: the type must refuse what a column cannot hold (`Meta(ge=…, le=…)`).

    Raises InvalidInputError that names `limit`, `cursor` or both; a cursor leads on only in the list it came
    from: same address, same filters.
    """
    faults = []
    limit, cursor = query.get("limit"), query.get("cursor")
    if limit is not None and not (_LIMIT.fullmatch(limit) and 1 <= int(limit) <= MOST_ITEMS):
        faults.append(FieldProblem("limit", f"is not a whole number from 1 to {MOST_ITEMS}"))
    after = None
    if cursor is not None:
        try:
            after = _position(cursor, _list_of(scope, query), position)
        except ValueError as error:
            faults.append(FieldProblem("cursor", str(error)))
    if faults:
        raise InvalidInputError(faults)
    return Page(limit=int(limit) if limit is not None else DEFAULT_LIMIT, after=after)


def answer_page(
    scope: Scope,
    query: Mapping[str, str],
    page: Page[Position],
    found: Sequence[Item],
    *,
    position: Callable[[Item], Position],
    answer: Callable[[Item], Answer],
) -> Response[Items[Answer]]:
    """Answer a page of `found`, which are up to `page.rows` items in the list's order."""
    items = found[: page.limit]
    following = None
    if len(found) > page.limit:
        following = _cursor(_list_of(scope, query), position(items[-1]))
    first = {name: value for name, value in query.items() if name != "cursor"}
    links = [_link(scope, first, "first")]
    if following is not None:
        links.append(_link(scope, {**first, "cursor": following}, "next"))
    return Response(
        Items(items=[answer(item) for item in items], next_cursor=following),
        headers={"Link": ", ".join(links)},
    )


def _link(scope: Scope, query: Mapping[str, str], relation: str) -> str:
    # Without scheme and host, which a proxy may have changed: the client resolves it against what it asked.
    path = scope["raw_path"].decode("ascii")
    return f'<{path}{"?" if query else ""}{urlencode(query)}>; rel="{relation}"'


def _list_of(scope: Scope, query: Mapping[str, str]) -> bytes:
    filters = sorted((name, value) for name, value in query.items() if name not in PAGE_PARAMETERS)
    return blake2b(msgspec.msgpack.encode([scope["path"], filters]), digest_size=8).digest()


def _cursor(list_of: bytes, position: Struct) -> str:
    raw = msgspec.Raw(msgspec.msgpack.encode(position))
    cursor = msgspec.msgpack.encode(_Cursor(CURSOR_VERSION, list_of, raw))
    return urlsafe_b64encode(cursor).rstrip(b"=").decode()


def _position(text: str, list_of: bytes, position: type[Position]) -> Position:
    """Read a cursor's position. Raises ValueError with the reason."""
    if _CURSOR.fullmatch(text) is None:
        raise ValueError("is not one of our cursors")
    try:
        cursor = msgspec.msgpack.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Cursor)
        found = msgspec.msgpack.decode(cursor.position, type=position)
    except (ValueError, msgspec.MsgspecError):
        raise ValueError("is not one of our cursors") from None
    if cursor.version != CURSOR_VERSION or cursor.list_of != list_of:
        raise ValueError("belongs to another list, or to other filters") from None
    return found
