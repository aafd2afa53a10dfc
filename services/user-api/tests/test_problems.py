import json
from collections.abc import Awaitable, Callable

import httpx
import pytest
from testkit import build
from testkit.fresh_database import FreshDatabase
from user_api.openapi import openapi_document

FIELDS = {"type", "title", "status", "detail", "instance", "errors", "requestId"}
WRONG = [
    ("GET", "/nothing", 404),
    ("GET", "/", 404),
    ("GET", "/user/1/2", 404),
    ("GET", "/docs/0/start.js", 404),
    ("GET", "/schema", 404),
    ("GET", "/schema/swagger", 404),
    ("GET", "/openapi.json/redoc", 404),
    ("DELETE", "/user", 405),
    ("GET", "/user/import", 405),
    ("PATCH", "/user", 405),
    ("POST", "/health", 405),
    ("POST", "/user/0198c0de-0000-7000-8000-000000000000", 405),
]


async def test_a_wrong_address_or_method_gets_a_problem_document(api: httpx.AsyncClient) -> None:
    for method, path, status in WRONG:
        answer = await api.request(method, path)

        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json().keys() == FIELDS
        assert (answer.json()["status"], answer.json()["instance"]) == (status, path)
        assert ("allow" in answer.headers) == (status == 405)


async def test_an_unhandled_error_tells_nothing_of_the_inside(
    api: httpx.AsyncClient,
    database: FreshDatabase,
    stored: Callable[[], Awaitable[tuple[int, int]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    admin = await database.connect()
    await admin.execute("ALTER TABLE users.users ADD CHECK (first_name <> 'Ada')")
    capsys.readouterr()

    answer = await api.post("/user", json=build.user_body(email="ada@example.com"))

    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:carillon:problem:internal-error",
        "title": "Something went wrong here",
        "status": 500,
        "detail": "The error is logged under the requestId.",
        "instance": "/user",
        "errors": [],
        "requestId": answer.headers["X-Request-Id"],
    }
    assert await stored() == (0, 0)
    logged = capsys.readouterr().out
    assert "CheckViolationError" in logged
    assert answer.headers["X-Request-Id"] in logged
    assert "Lovelace" not in logged
    assert "example.com" not in logged


async def test_a_sane_request_id_is_kept_and_another_is_replaced(api: httpx.AsyncClient) -> None:
    kept = await api.get("/nothing", headers={"X-Request-Id": "trace-1:a/b"})
    replaced = [
        (await api.get("/nothing", headers={"X-Request-Id": value})).headers["X-Request-Id"]
        for value in ('"}', "a b", "x" * 129, "")
    ]

    assert kept.headers["X-Request-Id"] == kept.json()["requestId"] == "trace-1:a/b"
    assert {len(value) for value in replaced} == {36}


async def test_the_openapi_document_describes_the_routes(api: httpx.AsyncClient) -> None:
    answer = await api.get("/openapi.json")

    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(openapi_document(secured=False)))


async def test_one_connection_serves_request_after_request_errors_included(api: httpx.AsyncClient) -> None:
    async with api.stream("POST", "/user", content=b" " * (2 * 1024 * 1024)) as refused:
        assert refused.status_code == 413
        await refused.aread()
        assert "connection" not in refused.headers
    assert (await api.get("/health/live")).json() == {"status": "live"}
