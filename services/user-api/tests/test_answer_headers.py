from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from testkit import build
from testkit.fresh_database import FreshDatabase
from user_api.cors import Cors
from user_api.security_headers import SecurityHeaders

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]
PAGE, OTHER = "https://app.example.com", "https://evil.example"
SECRET = "a secret that is thirty-two bytes"
SECURE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
EXPOSED = {
    *(
        "ETag",
        "Location",
        "Idempotent-Replayed",
        "Link",
        "RateLimit",
        "RateLimit-Policy",
        "Retry-After",
        "X-Request-Id",
    ),
    *("Deprecation", "Sunset"),
}


def listed(answer: httpx.Response, header: str) -> set[str]:
    return set(answer.headers[f"Access-Control-{header}"].split(", "))


async def test_pages_of_the_origins_that_are_set_may_call_and_read_every_answer_errors_included(
    database: FreshDatabase, environment: Environment, running: Running
) -> None:
    settings = environment(
        database.url("carillon_user_api"),
        CARILLON_ENV="production",
        CORS_ORIGINS=f"http://localhost:3000, {PAGE}",
        AUTH="jwt",
        JWT_ISSUER="issuer",
        JWT_AUDIENCE="audience",
        JWT_SECRET=SECRET,
    )
    asked = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,if-match",
    }
    async with running(settings) as api:
        preflight = await api.options("/user/1", headers={"Origin": PAGE, **asked})
        strange = await api.options("/user/1", headers={"Origin": OTHER, **asked})
        answers = [
            await api.get("/health", headers={"Origin": PAGE}),
            await api.get("/user/1", headers={"Origin": PAGE}),
            await api.post("/health", headers={"Origin": PAGE}),
        ]
        others = [
            await api.get("/user/1", headers={"Origin": OTHER}),
            await api.get("/user/1", headers={"Origin": "http://localhost:3000.evil.example"}),
            await api.get("/user/1"),
            await api.options("/user/1", headers={"Origin": OTHER}),  # no preflight
        ]

    assert (preflight.status_code, preflight.content) == (204, b"")
    assert preflight.headers["Access-Control-Allow-Origin"] == PAGE
    assert listed(preflight, "Allow-Methods") == {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
    wanted = {"Authorization", "If-Match", "If-None-Match", "Idempotency-Key", "traceparent", "Content-Type"}
    assert listed(preflight, "Allow-Headers") >= wanted
    assert preflight.headers["Access-Control-Max-Age"] == "7200"
    assert strange.status_code == 204
    assert [answer.status_code for answer in answers] == [200, 401, 405]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert listed(answer, "Expose-Headers") == EXPOSED
    assert [answer.status_code for answer in others] == [401] * 4
    for answer in (strange, *others):
        assert not any(name.startswith("access-control") for name in answer.headers)
    for answer in (preflight, strange, *answers, *others):
        assert answer.headers["Vary"] == "Origin"
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert answer.headers["X-Request-Id"]
        assert SECURE.items() <= dict(answer.headers).items()


async def test_every_answer_says_what_browsers_and_caches_may_do_with_it(api: httpx.AsyncClient) -> None:
    created = await api.post("/user", json=build.user_body(), headers={"Origin": PAGE})
    place = created.headers["Location"]
    known = {"If-None-Match": created.headers["ETag"]}
    answers = {
        "no-store": [created, await api.get("/nothing"), await api.put(place), await api.post("/user")],
        "private, no-cache": [
            await api.get(place),
            await api.get(place, headers=known),
            await api.get("/health"),
        ],
    }

    assert [answer.status_code for answer in answers["no-store"]] == [201, 404, 428, 400]
    assert [answer.status_code for answer in answers["private, no-cache"]] == [200, 304, 200]
    for caching, group in answers.items():
        for answer in group:
            assert answer.headers["Cache-Control"] == caching
            assert SECURE.items() <= dict(answer.headers).items()
            assert "Strict-Transport-Security" not in answer.headers  # it is local
            assert not any(name.startswith("access-control") for name in answer.headers)


def answering(headers: list[tuple[bytes, bytes]]) -> ASGIApp:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app


async def asked(app: ASGIApp, **headers: bytes) -> list[tuple[bytes, bytes]]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "headers": [(k.encode(), v) for k, v in headers.items()]}
    await app(scope, None, send)  # type: ignore[arg-type] # as much of a request as they read
    assert sent[0]["type"] == "http.response.start"
    return list(sent[0]["headers"])


@pytest.mark.parametrize("own", [(b"cache-control", b"public"), (b"content-security-policy", b"self")])
async def test_what_an_answer_says_itself_stays(own: tuple[bytes, bytes]) -> None:
    headers = await asked(SecurityHeaders(answering([own]), local=True))

    assert [value for name, value in headers if name == own[0]] == [own[1]]
    assert len(headers) == len(SECURE) + 1


async def test_with_an_asterisk_every_page_may_read_and_answers_do_not_vary() -> None:
    cors = Cors(answering([]), "*")

    for origin in (PAGE.encode(), b"null", b""):
        headers = dict(await asked(cors, origin=origin))
        assert headers[b"access-control-allow-origin"] == b"*"
        assert b"vary" not in headers
