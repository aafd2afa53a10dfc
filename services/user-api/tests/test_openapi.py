"""The OpenAPI document: valid, current and complete."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
import pytest
from messaging.topology import load_topology
from openapi_spec_validator import OpenAPIV31SpecValidator
from testkit.repository import find_topology
from user_api.app import routes
from user_api.context import Context
from user_api.openapi import openapi_document
from user_api.write_openapi import openapi_file

UNDESCRIBED = {
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/docs/{asked}/{name}"),
}

NO_EXAMPLE = {"cursor", "since"}

DOCUMENT = openapi_document()


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _validator(schema: Mapping[str, Any]) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(
        {**schema, "components": DOCUMENT["components"]},
        validate_formats=True,
    )


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_the_checked_in_document_is_what_the_code_says(pytestconfig: pytest.Config) -> None:
    checked_in = find_topology(pytestconfig.rootpath).parent / "openapi.json"

    assert Path(checked_in).read_text() == openapi_file(), "run `make contracts` and look at what changed"


def test_every_route_is_described_and_nothing_else(pytestconfig: pytest.Config) -> None:
    nothing = cast("Any", None)
    topology = load_topology(find_topology(pytestconfig.rootpath))
    context = Context(pool=nothing, topology=topology, clock_offset=nothing, keys=nothing)
    routed = {
        (method, re.sub(r"_(\w)", lambda found: found[1].upper(), re.sub(r":\w+}", "}", path)))
        for handler in routes(context, asyncio.Event(), {})
        for path in handler.paths
        for method in handler.http_methods
    }

    assert {(method, path) for method, path, _ in _operations()} == routed - UNDESCRIBED


def test_every_operation_tells_what_it_does_takes_and_answers_by_example() -> None:
    for method, path, operation in _operations():
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"], where
        for parameter in operation["parameters"]:
            assert "$ref" in parameter or "example" in parameter or parameter["name"] in NO_EXAMPLE, where
        for status, answer in operation["responses"].items():
            for content in answer.get("content", {}).values():
                assert "example" in content or content["examples"], (where, status)
        assert {"500", "503"} <= operation["responses"].keys(), where
    ids = [operation["operationId"] for _, _, operation in _operations()]
    assert len(set(ids)) == len(ids)


def test_every_example_is_valid_under_its_schema() -> None:
    for method, path, operation in _operations():
        contents = [
            *operation.get("requestBody", {}).get("content", {}).values(),
            *(
                content
                for answer in operation["responses"].values()
                for content in answer.get("content", {}).values()
            ),
        ]
        for content in contents:
            validator = _validator(content["schema"])
            for example in _examples(content):
                assert [*validator.iter_errors(example)] == [], (method, path, example)


def _examples(content: Mapping[str, Any]) -> Iterator[object]:
    if "example" in content:
        yield content["example"]
    for example in content.get("examples", {}).values():
        reference = example.get("$ref", "").rpartition("/")[2]
        yield (DOCUMENT["components"]["examples"][reference] if reference else example)["value"]
