"""The parameters of a query string: known ones, each once, as text."""

from collections.abc import Collection
from urllib.parse import parse_qsl

from litestar.types import Scope

from user_api.refusals import FieldProblem, InvalidInputError

MOST_PARAMETERS = 50
MOST_NAME = 100


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
