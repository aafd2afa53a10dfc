import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from domain.events import Event
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from testkit import build

Emitted = Callable[[], Awaitable[list[Event]]]
Stored = Callable[[], Awaitable[tuple[int, int]]]

WHOLE = build.user_body(email="ada@example.com", sendAtLocal="10:00", leapDayPolicy="skip")
ANY = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}


async def _created(api: httpx.AsyncClient, body: dict[str, Any] = WHOLE) -> str:
    return str((await api.post("/user", json=body)).headers["Location"])


async def _patched(api: httpx.AsyncClient, location: str, body: object, **headers: str) -> httpx.Response:
    return await api.patch(location, content=json.dumps(body), headers={**ANY, **headers})


@pytest.mark.parametrize(
    ("patch", "after", "events"),
    [
        ({"firstName": "Grace"}, {"firstName": "Grace"}, ["UserNameChanged"]),
        ({"timezone": "Asia/Tokyo"}, {"timezone": "Asia/Tokyo"}, ["UserTimezoneChanged"]),
        ({"email": None}, {"email": None}, []),
        ({"sendAtLocal": None}, {"sendAtLocal": "09:00"}, ["UserBirthdayChanged"]),
        ({"leapDayPolicy": None}, {"leapDayPolicy": "feb_28"}, ["UserBirthdayChanged"]),
    ],
)
async def test_a_patch_changes_what_it_names_and_tells_of_that(
    api: httpx.AsyncClient, emitted: Emitted, patch: dict[str, Any], after: dict[str, Any], events: list[str]
) -> None:
    location = await _created(api)
    before = (await api.get(location)).json()

    answer = await _patched(api, location, patch, **{"If-Match": '"1"'})

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    changed_at = answer.json()["updatedAt"]
    assert answer.json() == {**before, **after, "version": 2, "updatedAt": changed_at}
    assert (await api.get(location)).json() == answer.json()
    assert [event.event_type for event in (await emitted())[1:]] == events


@pytest.mark.parametrize("patch", [{}, {"firstName": " Ada "}, {"version": 7, "createdAt": "long ago"}])
async def test_a_patch_that_changes_nothing_is_the_same_version_and_no_event(
    api: httpx.AsyncClient, stored: Stored, patch: dict[str, Any]
) -> None:
    location = await _created(api)
    before = (await api.get(location)).json()

    answer = await _patched(api, location, patch)

    assert (answer.status_code, answer.headers["ETag"], answer.json()) == (200, '"1"', before)
    assert await stored() == (1, 1)


async def test_a_patch_that_is_refused_names_what_is_wrong_and_changes_nothing(
    api: httpx.AsyncClient, stored: Stored
) -> None:
    location = await _created(api)
    before = (await api.get(location)).json()
    refused: list[tuple[object, list[str]]] = [
        *(({field: None}, [field]) for field in ("firstName", "lastName", "dateOfBirth", "timezone")),
        ({"firstName": "", "email": "ada", "nickname": None}, ["firstName", "email", "nickname"]),
        ({"dateOfBirth": "2999-01-01"}, ["dateOfBirth"]),
        ([], ["body"]),
        ("Ada", ["body"]),
        (None, ["body"]),
    ]

    for patch, fields in refused:
        answer = await _patched(api, location, patch)
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, fields)
    assert (await _patched(api, location, {"id": str(uuid4())})).status_code == 409
    await _created(api, build.user_body(email="grace@example.com"))
    assert (await _patched(api, location, {"email": "GRACE@example.com"})).status_code == 409
    assert (await _patched(api, location, {"firstName": "A"}, **{"If-Match": '"2"'})).status_code == 412
    unmatched = await api.patch(location, content=b"{}", headers={"Content-Type": "application/json"})
    assert unmatched.status_code == 428
    assert (await _patched(api, f"/user/{uuid4()}", {})).status_code == 404
    assert (await api.get(location)).json() == before
    assert await stored() == (2, 2)


async def test_a_patch_of_another_media_type_is_told_which_are_taken(api: httpx.AsyncClient) -> None:
    location = await _created(api)

    taken = await _patched(api, location, {}, **{"Content-Type": "Application/JSON; charset=utf-8"})
    refused = [
        await api.patch(location, content=b"{}", headers=headers)
        for headers in ({"If-Match": "*"}, {"If-Match": "*", "Content-Type": "application/json-patch+json"})
    ]

    assert taken.status_code == 200
    for answer in refused:
        assert answer.status_code == 415
        assert answer.headers["Accept-Patch"] == "application/merge-patch+json, application/json"
        assert answer.json()["errors"][0]["field"] == "Content-Type"


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    writers=st.lists(
        st.tuples(st.sampled_from(["PUT", "PATCH"]), st.sampled_from(["firstName", "lastName"])),
        min_size=2,
        max_size=6,
    )
)
async def test_concurrent_changes_under_if_match_lose_no_update(
    api: httpx.AsyncClient, writers: list[tuple[str, str]]
) -> None:
    """Each writer reads, adds its letter to a name and writes, again until it is told that it was made."""
    location = await _created(api, build.user_body())

    async def write(letter: str, method: str, field: str) -> None:
        while True:
            read = await api.get(location)
            change = {field: read.json()[field] + letter}
            body = {**read.json(), **change} if method == "PUT" else change
            headers = {"If-Match": read.headers["ETag"], "Content-Type": "application/json"}
            answer = await api.request(method, location, content=json.dumps(body), headers=headers)
            if answer.status_code == 200:
                return
            assert answer.status_code == 412

    letters = [chr(ord("a") + place) for place in range(len(writers))]
    await asyncio.gather(*(write(letter, *writer) for letter, writer in zip(letters, writers, strict=True)))

    after = (await api.get(location)).json()
    written = after["firstName"].removeprefix("Ada") + after["lastName"].removeprefix("Lovelace")
    assert sorted(written) == letters
    assert after["version"] == 1 + len(writers)
    for field, before in (("firstName", "Ada"), ("lastName", "Lovelace")):
        mine = {letter for letter, writer in zip(letters, writers, strict=True) if writer[1] == field}
        assert set(after[field].removeprefix(before)) == mine
