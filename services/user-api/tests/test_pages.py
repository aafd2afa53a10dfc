from typing import cast
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.types import Scope
from msgspec import Struct
from user_api.pages import Items, Page, answer_page, read_page
from user_api.query import read_query
from user_api.refusals import FieldProblem, InvalidInputError

NAMES = {"limit", "cursor", "timezone"}


class Position(Struct, frozen=True, order=True, array_like=True):
    number: int
    text: str


positions = st.builds(Position, st.integers(-(2**63), 2**63 - 1), st.text(max_size=40))


def _scope(query: dict[str, str] | str, path: str = "/user") -> Scope:
    text = query if isinstance(query, str) else urlencode(query)
    return cast("Scope", {"path": path, "raw_path": path.encode(), "query_string": text.encode()})


def _first_page(query: dict[str, str], items: list[Position]) -> tuple[Items[Position], str]:
    scope = _scope(query)
    read = read_query(scope, NAMES)
    page = read_page(scope, read, Position)
    found = items if page.after is None else [item for item in items if item > page.after]
    answered = answer_page(
        scope, read, page, found[: page.rows], position=lambda item: item, answer=lambda item: item
    )
    return answered.content, str(answered.headers["Link"])


def _refused(scope: Scope) -> list[FieldProblem]:
    with pytest.raises(InvalidInputError) as refused:
        read_page(scope, read_query(scope, NAMES), Position)
    return list(refused.value.problems)


@settings(max_examples=50, deadline=None)
@given(
    items=st.sets(positions, max_size=30).map(sorted),
    limit=st.integers(1, 8),
)
def test_the_cursors_lead_through_all_items_once_and_in_order(items: list[Position], limit: int) -> None:
    seen: list[Position] = []
    query = {"limit": str(limit), "timezone": "Asia/Tokyo"}
    while True:
        page, links = _first_page(query, items)
        seen += page.items
        assert len(page.items) <= limit
        assert page.items or not items
        first = f'</user?limit={limit}&timezone=Asia%2FTokyo>; rel="first"'
        if page.next_cursor is None:
            assert links == first
            break
        query["cursor"] = page.next_cursor
        assert links == f'{first}, </user?{urlencode(query)}>; rel="next"'

    assert seen == items


def test_without_a_limit_a_page_has_fifty() -> None:
    assert read_page(_scope(""), {}, Position) == Page(limit=50, after=None)


@pytest.mark.parametrize("limit", ["0", "501", "-1", "1.5", "", " 5", "٥", "1e2", "9" * 5000])  # noqa: RUF001
def test_a_limit_that_is_none_is_named(limit: str) -> None:
    assert _refused(_scope({"limit": limit})) == [
        FieldProblem("limit", "is not a whole number from 1 to 500")
    ]


def test_a_cursor_leads_on_only_where_it_came_from() -> None:
    page, _ = _first_page({"limit": "1", "timezone": "Asia/Tokyo"}, [Position(1, "a"), Position(2, "b")])
    assert page.next_cursor is not None
    cursor = page.next_cursor

    same = _scope({"cursor": cursor, "limit": "7", "timezone": "Asia/Tokyo"})
    others = [
        _scope({"cursor": cursor}),
        _scope({"cursor": cursor, "timezone": "UTC"}),
        _scope({"cursor": cursor, "timezone": "Asia/Tokyo"}, "/user/1/occasion"),
    ]

    assert read_page(same, read_query(same, NAMES), Position) == Page(limit=7, after=Position(1, "a"))
    for other in others:
        assert _refused(other) == [FieldProblem("cursor", "belongs to another list, or to other filters")]


@settings(max_examples=200, deadline=None)
@given(
    cursor=st.text(max_size=60)
    | st.binary(max_size=60).map(lambda raw: msgspec.json.encode(raw).decode().strip('"='))
    | st.text("ABab01_-", min_size=401, max_size=500)
)
def test_a_cursor_that_is_not_ours_is_named(cursor: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_page(_scope(""), {"cursor": cursor}, Position)

    assert list(refused.value.problems) == [FieldProblem("cursor", "is not one of our cursors")]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("timezon=UTC", "timezon"),
        ("timezone=UTC&timezone=UTC", "timezone"),
        ("timezone=%ff", "query"),
        ("timezone=\u00ff", "query"),
        ("&".join(f"a{place}=" for place in range(51)), "query"),
    ],
)
def test_a_parameter_that_is_unknown_repeated_or_unreadable_is_named(query: str, field: str) -> None:
    assert [fault.field for fault in _refused(_scope(query))] == [field]
