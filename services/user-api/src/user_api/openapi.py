"""The OpenAPI 3.1 document of all operations."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from user_api.dead_letter_operations import DEAD_LETTER_OPERATIONS
from user_api.delivery_operations import DELIVERY_OPERATIONS
from user_api.endpoint_operations import ENDPOINT_OPERATIONS
from user_api.endpoint_switch_operations import ENDPOINT_SWITCH_OPERATIONS
from user_api.event_type_operations import EVENT_TYPE_OPERATIONS
from user_api.health_operations import HEALTH_OPERATIONS
from user_api.import_operations import IMPORT_OPERATIONS
from user_api.occasion_operations import OCCASION_OPERATIONS
from user_api.occurrence_operations import OCCURRENCE_OPERATIONS
from user_api.openapi_info import BEARER, INFO, TAGS
from user_api.openapi_schemas import Schemas
from user_api.operation_parts import (
    ALWAYS,
    ANY_TIME,
    COUNTED,
    OF_A_CALLER,
    REQUEST_ID,
    problem_headers,
)
from user_api.operations import Answer, Body, Header, Operation, Parameter
from user_api.pause_operations import PAUSE_OPERATIONS
from user_api.problem import MEDIA_TYPE, Problem, ProblemDocument, problem_document
from user_api.user_operations import USER_OPERATIONS

OPERATIONS: Sequence[Operation] = (
    *USER_OPERATIONS,
    *IMPORT_OPERATIONS,
    *OCCASION_OPERATIONS,
    *OCCURRENCE_OPERATIONS,
    *PAUSE_OPERATIONS,
    *EVENT_TYPE_OPERATIONS,
    *ENDPOINT_OPERATIONS,
    *ENDPOINT_SWITCH_OPERATIONS,
    *DELIVERY_OPERATIONS,
    *DEAD_LETTER_OPERATIONS,
    *HEALTH_OPERATIONS,
)

Json = dict[str, Any]


def openapi_document(operations: Sequence[Operation] = OPERATIONS, *, secured: bool = True) -> Json:
    """Describe `operations`, which ask for a token where they are `secured`."""
    schemas = Schemas()
    paths: dict[str, Json] = {}
    for operation in operations:
        described = _operation(operation, schemas)
        if secured and not operation.public:
            described["security"] = [{"bearer": []}]
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "/"}],
        "tags": TAGS,
        "paths": paths,
        "components": {
            "schemas": schemas.all(),
            "parameters": {REQUEST_ID.name: _parameter(REQUEST_ID, schemas)},
            "headers": {name: _header(header) for name, header in (ALWAYS | COUNTED).items()},
            "examples": _problem_examples(operations),
            "securitySchemes": {"bearer": BEARER} if secured else {},
        },
    }


def openapi_route(*, secured: bool) -> HTTPRouteHandler:
    """Make GET /openapi.json."""
    body = msgspec.json.encode(openapi_document(secured=secured))

    @get("/openapi.json")
    async def openapi() -> Response[bytes]:
        """Answer the document."""
        return Response(body, media_type="application/json")

    return openapi


def _operation(operation: Operation, schemas: Schemas) -> Json:
    usual = ALWAYS if operation.public else ALWAYS | COUNTED
    answers = {str(answer.status): _answer(answer, schemas, usual) for answer in operation.answers}
    problems = sorted(_problems(operation).values(), key=lambda problem: problem.status)
    refused = {
        str(status): _refusals(list(alike), schemas, usual)
        for status, alike in groupby(problems, key=lambda problem: problem.status)
    }
    described: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [
            *(_parameter(parameter, schemas) for parameter in operation.parameters),
            {"$ref": f"#/components/parameters/{REQUEST_ID.name}"},
        ],
        "responses": answers | refused,
    }
    if operation.body is not None:
        described["requestBody"] = _body(operation.body, schemas)
    return described


def _problems(operation: Operation) -> dict[str, Problem]:
    of_a_caller = () if operation.public else OF_A_CALLER
    return {problem.kind: problem for problem in (*operation.problems, *of_a_caller, *ANY_TIME)}


def _parameter(parameter: Parameter, schemas: Schemas) -> Json:
    described: Json = {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required or parameter.place == "path",
        "schema": schemas.described(parameter.schema),
    }
    if parameter.example is not None:
        described["example"] = parameter.example
    return described


def _body(body: Body, schemas: Schemas) -> Json:
    examples = {name: {"value": example} for name, example in body.examples.items()}
    content = {"schema": schemas.described(body.schema), "examples": examples}
    return {"required": body.required, "content": dict.fromkeys(body.media_types, content)}


def _answer(answer: Answer, schemas: Schemas, usual: Mapping[str, Header]) -> Json:
    described: Json = {"description": answer.description, "headers": _headers(answer.headers, usual)}
    if answer.schema is not None:
        content = {"schema": schemas.described(answer.schema), "example": answer.example}
        described["content"] = {answer.media_type: content}
    if answer.links:
        described["links"] = {
            link.operation_id: {"operationId": link.operation_id, "parameters": dict(link.parameters)}
            for link in answer.links
        }
    return described


def _refusals(problems: Sequence[Problem], schemas: Schemas, usual: Mapping[str, Header]) -> Json:
    headers = problem_headers(problems)
    examples = {problem.kind: {"$ref": f"#/components/examples/{problem.kind}"} for problem in problems}
    return {
        "description": f"{'; or: '.join(problem.title for problem in problems)}.",
        "headers": _headers(headers, usual),
        "content": {MEDIA_TYPE: {"schema": schemas.described(ProblemDocument), "examples": examples}},
    }


def _headers(headers: Mapping[str, Header], usual: Mapping[str, Header]) -> Json:
    described: Json = {name: _header(header) for name, header in headers.items()}
    return described | {name: {"$ref": f"#/components/headers/{name}"} for name in usual}


def _header(header: Header) -> Json:
    return {"description": header.description, "required": header.always, "schema": header.schema}


def _problem_examples(operations: Sequence[Operation]) -> Json:
    found = {
        kind: (problem, operation)
        for operation in operations
        for kind, problem in _problems(operation).items()
    }
    return {kind: _problem_example(*found[kind]) for kind in sorted(found)}


def _problem_example(problem: Problem, operation: Operation) -> Json:
    path = operation.path
    for parameter in operation.parameters:
        path = path.replace(f"{{{parameter.name}}}", str(parameter.example))
    document = problem_document(problem, instance=path, request_id=str(REQUEST_ID.example))
    return {"summary": problem.title, "value": msgspec.to_builtins(document)}
