"""The parameters of a query string: known ones, each once, as text."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

from litestar.types import Scope

from user_api.parse_fields import FieldError
from user_api.refusals import FieldProblem, InvalidInputError

MOST_PARAMETERS = 50
MOST_NAME = 100

Value = TypeVar("Value")


def read_query(scope: Scope, names: Collection[str]) -> dict[str, str]:
    """Read the query's parameters. Raises InvalidInputError, which names each that is unknown or repeated.

    An unknown one is refused because a filter that is mistyped would otherwise answer everything.
    """
    try:
        pairs = parse_qsl(
            scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        raise InvalidInputError(
            [FieldProblem("query", f"is not UTF-8, or has more than {MOST_PARAMETERS} parameters")]
        ) from None
    values: dict[str, str] = {}
    faults: dict[str, str] = {}
    for name, value in pairs:
        if name not in names:
            faults[name[:MOST_NAME]] = "is not a parameter of this address"
        elif name in values:
            faults[name] = "is given more than once"
        values[name] = value
    if faults:
        raise InvalidInputError([FieldProblem(name, reason) for name, reason in faults.items()])
    return values


def read_filter(
    query: Mapping[str, str], name: str, parse: Callable[[str], Value], faults: list[FieldProblem]
) -> Value | None:
    """Read what a list is narrowed by, None for what is not given; or name the fault."""
    if name not in query:
        return None
    try:
        return parse(query[name])
    except FieldError as error:
        faults.append(FieldProblem(name, str(error)))
        return None
