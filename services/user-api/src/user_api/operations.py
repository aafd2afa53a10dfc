"""How an operation is described: plain values, from which openapi.py makes the document.

Operations are described beside their routes, in `user_operations.py` and the like, and listed in openapi.py;
a test compares that list with the routes. Where a schema stands, a `Component` puts it under its name into
the document's components and a reference in its place; so does a Struct class, whose schema is derived.
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from user_api.problem import Problem

Schema = Mapping[str, Any]
"""A JSON Schema of draft 2020-12, as OpenAPI 3.1 has it."""


class Component(Struct, frozen=True):
    """A schema with a name of its own."""

    name: str
    schema: Schema


AnySchema = Schema | Component | type[Struct]


class Parameter(Struct, frozen=True, kw_only=True):
    """A part of the path, the query or a request header; those of the path are always required."""

    name: str
    place: Literal["path", "query", "header"]
    description: str
    schema: AnySchema
    example: str | int | None = None
    required: bool = False


class Body(Struct, frozen=True, kw_only=True):
    """What a request carries, with an example of each kind under its name."""

    schema: AnySchema
    examples: Mapping[str, object]
    media_types: tuple[str, ...] = ("application/json",)
    required: bool = True


class Header(Struct, frozen=True):
    """A header of an answer; one that is not always there says so in its description."""

    description: str
    schema: Schema
    always: bool = True


class Link(Struct, frozen=True):
    """What an answer leads to: an operation, and where its parameters are found in the answer."""

    operation_id: str
    parameters: Mapping[str, str]


class Answer(Struct, frozen=True, kw_only=True):
    """An answer other than a problem."""

    status: int
    description: str
    schema: AnySchema | None = None
    example: object = None
    media_type: str = "application/json"
    headers: Mapping[str, Header] = {}
    links: tuple[Link, ...] = ()


class Operation(Struct, frozen=True, kw_only=True):
    """One method of one path; `public`: without a token. Any can also fail as ANY_TIME says."""

    id: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    tag: str
    summary: str
    description: str
    answers: tuple[Answer, ...]
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    problems: tuple[Problem, ...] = ()
    public: bool = False
