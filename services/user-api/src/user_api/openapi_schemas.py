"""The schemas of the OpenAPI document: each named one once, references elsewhere."""

from collections.abc import Mapping
from typing import Any, get_origin

import msgspec
from msgspec import Struct

from user_api.operations import AnySchema, Component

PLACE = "#/components/schemas/"


class Schemas:
    """Collects the named schemas of a document while it is made."""

    def __init__(self) -> None:
        self._named: dict[str, Any] = {}

    def all(self) -> dict[str, Any]:
        """Give the schemas collected, by name."""
        return dict(sorted(self._named.items()))

    def described(self, schema: AnySchema) -> Any:  # noqa: ANN401 - JSON
        """Give a schema as it stands in the document, with references to the named ones in it."""
        match schema:
            case Component(name, inner):
                self._named[name] = self._resolved(inner)
                return {"$ref": PLACE + name}
            case Mapping():
                return self._resolved(schema)
            case _:
                return self._derived(schema)

    def _resolved(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        match value:
            case Component():
                return self.described(value)
            case _ if _is_struct(value):
                return self._derived(value)
            case Mapping():
                return {key: self._resolved(inner) for key, inner in value.items()}
            case list() | tuple():
                return [self._resolved(inner) for inner in value]
            case _:
                return value

    def _derived(self, struct: type[Struct]) -> Any:  # noqa: ANN401 - JSON
        (reference,), named = msgspec.json.schema_components([struct], ref_template=PLACE + "{name}")
        for name, schema in named.items():
            self._named[_public(name)] = _with_public_names(schema)
        return _with_public_names(reference)


def _is_struct(value: object) -> bool:
    # A generic one with its argument, such as Items[UserAnswer], is no class itself.
    return isinstance(get_origin(value) or value, type)


def _public(name: str) -> str:
    # UserAnswer and ProblemDocument are what a client knows as a User and a Problem.
    # Items[UserAnswer], which msgspec writes with underscores, is a page of them.
    if name.startswith("Items_"):
        return f"{_public(name.removeprefix('Items_').removesuffix('_'))}Page"
    return name.removesuffix("Answer").removesuffix("Document")


def _with_public_names(value: Any) -> Any:  # noqa: ANN401 - JSON
    match value:
        case {"$ref": str(place)}:
            return {"$ref": PLACE + _public(place.removeprefix(PLACE))}
        case dict():
            return {key: _with_public_names(inner) for key, inner in value.items() if key != "title"}
        case list():
            return [_with_public_names(inner) for inner in value]
        case _:
            return value
