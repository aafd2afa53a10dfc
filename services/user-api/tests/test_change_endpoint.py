"""PUT, PATCH and DELETE: what they change, and what they keep."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from runtime.encrypt import UndecipherableError, new_key, read_keys, secret_of
from testkit.fresh_database import FreshDatabase
from testkit.wait import eventually

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]
KeptOf = Callable[[str], Awaitable[Any]]

HEADERS = {"Authorization": "Bearer hunter2", "X-Api-Key": "swordfish"}
WHOLE = {
    "url": "https://partner.example.com/hooks",
    "eventTypes": ["birthday.due"],
    "description": "Greeting cards",
    "headers": HEADERS,
    "rateLimit": 50,
    "concurrency": 5,
    "timeoutSeconds": 10,
    "enabled": True,
}
MASK = "********"
ANY = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}


async def _created(api: httpx.AsyncClient) -> str:
    return str((await api.post("/endpoint", json=WHOLE)).headers["Location"])


async def _patched(api: httpx.AsyncClient, location: str, patch: object) -> httpx.Response:
    return await api.patch(location, content=json.dumps(patch), headers=ANY)


async def test_what_was_read_can_be_changed_and_sent_back_and_no_header_is_lost(
    api: httpx.AsyncClient, kept_of: KeptOf
) -> None:
    location = await _created(api)
    secret = (await kept_of(location)).secret
    read = (await api.get(location)).json()

    changed = await api.put(location, json={**read, "rateLimit": 7}, headers={"If-Match": '"1"'})

    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert changed.json() == {**read, "rateLimit": 7, "version": 2, "updatedAt": changed.json()["updatedAt"]}
    assert changed.json()["updatedAt"] > read["updatedAt"]
    kept = await kept_of(location)
    assert (kept.headers, kept.secret) == (HEADERS, secret)


async def test_a_replacement_sets_what_it_leaves_out_to_its_default(
    api: httpx.AsyncClient, kept_of: KeptOf
) -> None:
    location = await _created(api)

    answer = await api.put(location, json={"url": "http://example.com"}, headers={"If-Match": '"1"'})

    fresh = (await api.post("/endpoint", json={"url": "http://example.com"})).json()
    assert {field: answer.json()[field] for field in WHOLE} == {field: fresh[field] for field in WHOLE}
    assert (await kept_of(location)).headers == {}


PATCHES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"url": "http://example.com/?a=%20"}, {"url": "http://example.com/?a=%20"}),
    ({"eventTypes": None}, {"eventTypes": None}),
    ({"description": None, "rateLimit": None}, {"description": None, "rateLimit": None}),
    ({"concurrency": None, "timeoutSeconds": None}, {"concurrency": 10, "timeoutSeconds": 30}),
    ({"concurrency": 6.0}, {"concurrency": 6}),
    ({"enabled": False}, {"enabled": False, "disabledReason": "manual"}),
]


async def test_a_patch_changes_what_it_names_and_nothing_else(
    api: httpx.AsyncClient, kept_of: KeptOf
) -> None:
    for patch, after in PATCHES:
        location = await _created(api)
        before, kept = (await api.get(location)).json(), await kept_of(location)

        answer = await _patched(api, location, patch)

        assert answer.status_code == 200, answer.text
        assert answer.json() == {**before, **after, "version": 2, "updatedAt": answer.json()["updatedAt"]}
        now = await kept_of(location)
        assert (now.headers, now.secret) == (kept.headers, kept.secret)


HEADER_PATCHES: list[tuple[object, dict[str, str]]] = [
    ({"X-API-KEY": "catfish"}, {"Authorization": "Bearer hunter2", "X-API-KEY": "catfish"}),
    ({"x-api-key": "catfish"}, {"Authorization": "Bearer hunter2", "x-api-key": "catfish"}),
    ({"AUTHORIZATION": None}, {"X-Api-Key": "swordfish"}),
    ({"X-Other": "new", "X-Api-Key": MASK}, {**HEADERS, "X-Other": "new"}),
    ({"x-api-key": MASK}, {"Authorization": "Bearer hunter2", "x-api-key": "swordfish"}),
    (None, {}),
]


async def test_headers_are_patched_one_by_one_whatever_the_case_of_their_names(
    api: httpx.AsyncClient, kept_of: KeptOf
) -> None:
    for headers, after in HEADER_PATCHES:
        location = await _created(api)

        answer = await _patched(api, location, {"headers": headers})

        assert (answer.status_code, answer.json()["version"]) == (200, 2)
        assert answer.json()["headers"] == dict.fromkeys(after, MASK)
        assert (await kept_of(location)).headers == after


async def test_a_change_of_nothing_keeps_the_version(api: httpx.AsyncClient, kept_of: KeptOf) -> None:
    location = await _created(api)
    before, stored = (await api.get(location)).json(), (await kept_of(location)).as_stored

    nothing: list[object] = [{}, {"rateLimit": 50}, {"headers": {"X-Api-Key": "swordfish"}}, {"headers": {}}]
    for patch in nothing:
        assert (await _patched(api, location, patch)).json() == before
    assert (await api.put(location, json=before, headers={"If-Match": "*"})).json() == before
    assert (await kept_of(location)).as_stored == stored


REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"url": None}, ["url"]),
    ({"headers": {"X-Other": MASK}}, ["headers"]),
    ({"headers": {f"X-{place}": "v" for place in range(9)}}, ["headers"]),
    ({"headers": {"Host": None}}, ["headers"]),
    ({"secret": "whsec_mine"}, ["secret"]),
    (
        {"enabled": 0, "rateLimit": 0, "eventTypes": [], "colour": None, "url": ""},
        ["url", "eventTypes", "rateLimit", "enabled", "colour"],
    ),
]


async def test_a_patch_that_is_refused_names_what_is_wrong_and_changes_nothing(
    api: httpx.AsyncClient, kept_of: KeptOf
) -> None:
    location = await _created(api)
    before = (await api.get(location)).json()

    for body, fields in REFUSED:
        answer = await _patched(api, location, body)

        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, fields)
    assert (await api.get(location)).json() == before
    assert (await kept_of(location)).headers == HEADERS


async def test_a_change_names_the_version_that_it_changes(api: httpx.AsyncClient) -> None:
    location = await _created(api)
    for method, body in (("PUT", WHOLE), ("PATCH", {}), ("DELETE", None)):
        absent = await api.request(method, location, json=body)
        stale = await api.request(method, location, json=body, headers={"If-Match": '"2"'})

        assert (absent.status_code, stale.status_code, stale.headers["ETag"]) == (428, 412, '"1"')
        assert "endpoint" in stale.json()["title"]
    other = await api.put(location, json={**WHOLE, "id": str(uuid4())}, headers={"If-Match": "*"})
    assert (other.status_code, other.json()["type"]) == (409, "urn:carillon:problem:other-id")
    no_patch = await api.patch(location, content=b"{}", headers={**ANY, "Content-Type": "text/plain"})
    assert no_patch.status_code == 415


async def test_of_two_changes_of_one_version_the_later_one_is_told(
    api: httpx.AsyncClient, database: FreshDatabase
) -> None:
    location = await _created(api)
    blocking, admin = await database.connect(), await database.connect()

    async def both_wait() -> bool:
        waiting = await admin.fetchval(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
            """
        )
        return bool(waiting == 2)

    async with blocking.transaction():
        await blocking.execute("SELECT FROM delivery.endpoints FOR UPDATE")
        changes = [
            asyncio.create_task(api.patch(location, json={"rateLimit": rate}, headers={"If-Match": '"1"'}))
            for rate in (1, 2)
        ]
        await eventually(both_wait)
    answers = await asyncio.gather(*changes)

    assert sorted(answer.status_code for answer in answers) == [200, 412]
    assert (await api.get(location)).json()["version"] == 2


async def test_a_removed_endpoint_is_gone_and_its_secrets_are_forgotten(
    api: httpx.AsyncClient, kept_of: KeptOf, database: FreshDatabase
) -> None:
    location = await _created(api)
    await api.post(f"{location}/rotate-secret")

    removed = await api.delete(location, headers={"If-Match": '"2"'})

    assert (removed.status_code, removed.content) == (204, b"")
    kept = await kept_of(location)
    assert (kept.secret, kept.previous_secret, kept.headers, kept.as_stored) == (None, None, {}, [])
    admin = await database.connect()
    [row] = await admin.fetch("SELECT url, version, deleted_at IS NOT NULL AS gone FROM delivery.endpoints")
    assert tuple(row) == (WHOLE["url"], 3, True)
    for method, path, body in (
        ("GET", location, None),
        ("PUT", location, WHOLE),
        ("PATCH", location, {}),
        ("DELETE", location, None),
        ("POST", f"{location}/enable", None),
        ("POST", f"{location}/disable", None),
        ("POST", f"{location}/rotate-secret", None),
    ):
        answer = await api.request(method, path, json=body, headers={"If-Match": "*"})
        assert (method, path, answer.status_code) == (method, path, 404)


async def test_a_change_encrypts_with_the_first_key_what_an_older_one_encrypted(
    database: FreshDatabase, environment: Environment, running: Running
) -> None:
    url, old, new = database.url("carillon_user_api"), new_key("old"), new_key("new")
    async with running(environment(url, ENCRYPTION_KEYS=old)) as api:
        location = await _created(api)
    async with running(environment(url, ENCRYPTION_KEYS=f"{new},{old}")) as api:
        changed = await _patched(api, location, {"headers": {"X-Api-Key": None}})
        rotated = await api.post(f"{location}/rotate-secret")

    assert (changed.status_code, rotated.status_code) == (200, 200)
    worker = await database.connect("carillon_webhook_worker")
    row = await worker.fetchrow("SELECT * FROM delivery.endpoints")
    assert row is not None
    id_ = UUID(location.rpartition("/")[2])
    assert read_keys(new).decrypt(row["secret"], about=secret_of(id_)).decode() == rotated.json()["secret"]
    assert row["headers"].startswith(b"\x03new")
    with pytest.raises(UndecipherableError):
        read_keys(old).decrypt(row["secret"], about=secret_of(id_))


async def test_without_the_key_of_its_headers_an_endpoint_is_not_changed_and_the_log_says_why(
    database: FreshDatabase, environment: Environment, running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    url = database.url("carillon_user_api")
    async with running(environment(url, ENCRYPTION_KEYS=new_key("lost"))) as api:
        location = await _created(api)
    async with running(environment(url)) as api:
        before = (await api.get(location)).json()
        answer = await _patched(api, location, {"headers": {"X-Api-Key": None}})
        assert (answer.status_code, (await api.get(location)).json()) == (500, before)

    assert "there is no key 'lost' in ENCRYPTION_KEYS" in "".join(capsys.readouterr())
