import asyncio
from uuid import uuid4

import httpx
from testkit import build


async def test_a_user_is_read_as_the_creation_answered_them(api: httpx.AsyncClient) -> None:
    created = await api.post("/user", json=build.user_body(sendAtLocal="23:59:59"))
    read = await api.get(created.headers["Location"])

    assert read.status_code == 200
    assert read.headers["ETag"] == '"1"'
    assert read.json() == created.json()
    assert read.json()["sendAtLocal"] == "23:59:59"
    assert read.json()["email"] is None


async def test_a_user_that_the_reader_has_is_not_sent_again(api: httpx.AsyncClient) -> None:
    created = await api.post("/user", json=build.user_body())
    for tags in ('"1"', 'W/"1"', '"7", "1"', "*"):
        read = await api.get(created.headers["Location"], headers={"If-None-Match": tags})

        assert read.status_code == 304
        assert read.headers["ETag"] == '"1"'
        assert read.content == b""


async def test_a_user_that_the_reader_has_an_old_version_of_is_sent(api: httpx.AsyncClient) -> None:
    created = await api.post("/user", json=build.user_body())
    read = await api.get(created.headers["Location"], headers={"If-None-Match": '"0"'})

    assert read.json() == created.json()


async def test_an_unknown_id_is_not_found(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"/user/{uuid4()}")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:carillon:problem:unknown-user"


async def test_an_id_that_is_no_uuid_is_named(api: httpx.AsyncClient) -> None:
    for user_id in ("1", "ada@example.com", "%00", "{0}", f"{uuid4()}0", uuid4().hex):
        answer = await api.get(f"/user/{user_id}")

        assert answer.status_code == 400
        assert answer.json()["errors"] == [{"field": "id", "reason": "is not a UUID"}]


async def test_users_that_are_asked_for_at_once_are_each_answered_with_their_own(
    api: httpx.AsyncClient,
) -> None:
    created = [await api.post("/user", json=build.user_body(firstName=name)) for name in ("Ada", "Grace")]
    paths = [f"/user/{uuid4()}", *[one.headers["Location"] for one in created]] * 10

    answers = await asyncio.gather(*(api.get(path) for path in paths))

    assert [answer.status_code for answer in answers] == [404, 200, 200] * 10
    found = [answer.json() for answer in answers if answer.status_code == 200]
    assert found == [one.json() for one in created] * 10
