import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from msgspec import Struct
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.issuer import Issuer
from testkit.wait import eventually
from user_api.openapi import openapi_document

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]
CHANGING = {"date", "ratelimit", "x-request-id"}
NOBODY = "0198c0de-0000-7000-8000-000000000000"


class Guarded(Struct):
    """A running service that asks for tokens, and who makes them."""

    api: httpx.AsyncClient
    issuer: Issuer

    async def ask(
        self, method: str, path: str, *roles: str, sub: str = "somebody", **more: object
    ) -> httpx.Response:
        request = self.api.build_request(method, path, **more)  # type: ignore[arg-type] # as httpx has them
        request.headers["Authorization"] = f"Bearer {self.issuer.token(*roles, sub=sub)}"
        return await self.api.send(request)


@pytest_asyncio.fixture
async def guarded(
    database: FreshDatabase, environment: Environment, running: Running
) -> AsyncIterator[Guarded]:
    async with Issuer() as issuer:
        issuer.add_key("first")
        async with running(environment(database.url("carillon_user_api"), **issuer.settings)) as api:
            yield Guarded(api, issuer)


def every_operation() -> Iterator[tuple[str, str]]:
    """Every operation of the API on somebody else, by its document; open ones are left out."""
    for path, item in openapi_document(secured=True)["paths"].items():
        for method, operation in item.items():
            if operation.get("security") != []:
                yield method.upper(), re.sub(r"\{\w+\}", NOBODY, path)


async def test_no_operation_is_done_without_a_token_or_by_a_stranger(
    guarded: Guarded, stored: Callable[[], Awaitable[tuple[int, int]]]
) -> None:
    operations = [
        (method, path)
        for method, path in every_operation()
        if path.startswith(("/user", "/event-type", "/endpoint"))
    ]
    assert len(operations) >= 28

    for method, path in operations:
        unnamed = await guarded.api.request(method, path, json=build.user_body())
        assert (method, path, unnamed.status_code) == (method, path, 401)
        stranger = await guarded.ask(
            method, path, "user", sub="0198c0de-0000-7000-8000-000000000001", json=build.user_body()
        )
        assert (method, path, stranger.status_code) == (method, path, 403)
    assert await stored() == (0, 0)


NO_TOKEN = 'Bearer realm="carillon"'


def bad(reason: str) -> str:
    return f'Bearer error="invalid_token", error_description="{reason}"'


async def test_nobody_passes_without_a_good_token_and_no_token_is_told_or_logged(
    guarded: Guarded, capsys: pytest.CaptureFixture[str]
) -> None:
    good = guarded.issuer.token("admin")
    forged = good[:-4] + ("AAAA" if not good.endswith("AAAA") else "BBBB")
    old = guarded.issuer.token("admin", exp=1)
    sent: list[tuple[list[str], str]] = [
        ([], NO_TOKEN),
        (["Basic YWRtaW46YWRtaW4="], NO_TOKEN),
        ([good], NO_TOKEN),
        (["Bearer"], bad("The token is not a JWT")),
        (["Bearer hunter2"], bad("The token is not a JWT")),
        ([f"Bearer {good} {good}"], bad("The token is not a JWT")),
        ([f"Bearer {guarded.issuer.token('admin', junk='x' * 9000)}"], bad("The token is too long")),
        ([f"Bearer {good}", f"Bearer {good}"], bad("Authorization is sent more than once")),
        ([f"Bearer {forged}"], bad("The token's signature is not valid")),
        ([f"Bearer {old}"], bad("The token has expired")),
    ]
    places = [("GET", f"/user/{NOBODY}?access_token={good}"), ("GET", "/nothing"), ("OPTIONS", "/user")]
    for values, challenge in sent:
        for method, path in places:
            answer = await guarded.api.request(
                method, path, headers=[("Authorization", value) for value in values]
            )
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, challenge)
            assert answer.json()["type"] == "urn:carillon:problem:unauthenticated"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Request-Id"] == answer.json()["requestId"]
            assert not any(token[-20:] in answer.text for token in (good, forged, old))
    head = await guarded.api.head(f"/user/{NOBODY}")
    assert (head.status_code, head.content) == (401, b"")
    assert (
        await guarded.api.get("/nothing", headers={"Authorization": f"bEARER  {good}"})
    ).status_code == 404

    for path in ("/health", "/health/live", "/health/ready", "/openapi.json"):
        assert (await guarded.api.get(path)).status_code == 200
    assert (await guarded.api.get("/docs")).status_code != 401
    # What only looks like an open path is none.
    for path in ("/docs/../user/1", "//docs", "/health/x", "/user/docs", "/openapi.json/"):
        assert (await guarded.api.get(path)).status_code in {401, 404}

    logged = capsys.readouterr().out
    assert "httpMethod" in logged
    assert not any(token[-20:] in logged for token in (good, forged, old))


async def test_admins_and_services_create_users_and_reach_each_of_them(guarded: Guarded) -> None:
    body = build.user_body()
    for roles, status in [(("user",), 403), ((), 403), (("wizard",), 403), (("service",), 201)]:
        created = await guarded.ask("POST", "/user", *roles, sub=NOBODY, json=body)
        assert created.status_code == status
        if status == 403:
            assert created.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'
            assert created.json()["type"] == "urn:carillon:problem:forbidden"
    created = await guarded.ask("POST", "/user", "admin", "wizard", json=body)
    place = created.headers["Location"]

    for role in ("admin", "service"):
        assert (await guarded.ask("GET", place, role)).json() == created.json()
        assert (await guarded.ask("GET", f"/user/{NOBODY}", role)).status_code == 404
    removed = await guarded.ask("DELETE", place, "service", headers={"If-Match": "*"})
    assert removed.status_code == 204


async def test_a_user_reaches_themself_and_learns_nothing_of_others(
    guarded: Guarded, stored: Callable[[], Awaitable[tuple[int, int]]]
) -> None:
    users = [(await guarded.ask("POST", "/user", "admin", json=build.user_body())).json() for _ in range(2)]
    me, other = (user["id"] for user in users)
    before = await stored()
    mine = await guarded.ask("GET", f"/user/{me}", "user", sub=me)
    assert (mine.status_code, mine.json()) == (200, users[0])

    attempts: list[tuple[str, dict[str, Any]]] = [
        ("GET", {}),
        ("GET", {"headers": {"If-None-Match": '"1"'}}),
        ("GET", {"headers": {"If-None-Match": "nonsense"}}),
        ("PUT", {"json": build.user_body(), "headers": {"If-Match": '"1"'}}),
        ("PUT", {"json": build.user_body(), "headers": {"If-Match": '"7"'}}),
        ("PUT", {"json": {"firstName": ""}}),
        ("PUT", {"content": b"not JSON", "headers": {"If-Match": "nonsense"}}),
        ("DELETE", {}),
        ("DELETE", {"headers": {"If-Match": '"1"'}}),
        ("DELETE", {"headers": {"If-Match": "*"}}),
    ]
    answers = []
    strangers: list[tuple[str, tuple[str, ...], list[tuple[str, dict[str, Any]]]]] = [
        (me, ("user", "wizard"), attempts),
        (other, (), attempts[:1]),
        ("cron", ("wizard",), attempts[-1:]),
    ]
    for sub, roles, tried in strangers:
        for method, more in tried:
            for target in (other, NOBODY):
                answer = await guarded.ask(method, f"/user/{target}", *roles, sub=sub, **more)
                told = {k: v for k, v in answer.json().items() if k not in {"instance", "requestId"}}
                headers = {k: v for k, v in answer.headers.items() if k not in CHANGING}
                answers.append((answer.status_code, told, headers))
    assert answers[0][0] == 403
    assert answers == [answers[0]] * len(answers)
    assert await stored() == before

    gone = await guarded.ask("DELETE", f"/user/{me}", "user", sub=me, headers={"If-Match": "*"})
    assert gone.status_code == 204
    assert (await guarded.ask("GET", f"/user/{me}", "user", sub=me)).status_code == 404


async def test_without_the_issuers_keys_nobody_is_refused_and_nobody_let_in(
    database: FreshDatabase, environment: Environment, running: Running
) -> None:
    async with Issuer() as issuer:
        issuer.add_key("first")
    settings = environment(database.url("carillon_user_api"), **issuer.settings)
    async with running(settings) as api:
        asked = Guarded(api, issuer)
        away = await asked.ask("GET", "/user/1", "admin")
        ready = await api.get("/health/ready")
        assert (away.status_code, away.headers["Retry-After"]) == (503, "2")
        assert away.headers["Content-Type"] == "application/problem+json"
        assert (ready.status_code, ready.json()["detail"]) == (503, "Not ready: signing keys.")
        assert (await api.get("/user/1")).status_code == 401

        async with issuer:

            async def answered() -> bool:
                return (await asked.ask("GET", "/user/1", "admin")).status_code == 400

            await eventually(answered)
            assert (await api.get("/health/ready")).status_code == 200
        assert await answered()
