from uuid import uuid4

import httpx
from testkit import build


async def test_an_endpoint_is_read_again_only_if_it_changed(api: httpx.AsyncClient) -> None:
    location = (await api.post("/endpoint", json=build.endpoint_body())).headers["Location"]

    known = await api.get(location, headers={"If-None-Match": '"1"'})
    await api.post(f"{location}/disable")
    changed = await api.get(location, headers={"If-None-Match": '"1"'})

    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", '"1"')
    assert (changed.status_code, changed.json()["version"], changed.headers["ETag"]) == (200, 2, '"2"')


async def test_what_is_no_endpoint_is_404_and_what_is_no_id_is_400(api: httpx.AsyncClient) -> None:
    unknown = await api.get(f"/endpoint/{uuid4()}")
    no_id = await api.get("/endpoint/seven")

    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:carillon:problem:unknown-endpoint")
    assert (no_id.status_code, [error["field"] for error in no_id.json()["errors"]]) == (400, ["id"])


async def test_endpoints_are_listed_the_oldest_first_in_pages_without_the_removed(
    api: httpx.AsyncClient,
) -> None:
    made = [
        (await api.post("/endpoint", json=build.endpoint_body(headers={"X-Key": "swordfish"}))).json()
        for _ in range(5)
    ]
    for one in made:
        del one["secret"]
    removed = made.pop(2)
    await api.delete(f"/endpoint/{removed['id']}", headers={"If-Match": "*"})

    first = await api.get("/endpoint", params={"limit": 3})
    second = await api.get(first.links["next"]["url"])

    assert first.json()["items"] + second.json()["items"] == made
    assert (len(first.json()["items"]), second.json()["nextCursor"]) == (3, None)
    assert "swordfish" not in first.text
    bad = await api.get("/endpoint", params={"enabled": "true"})
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (400, "enabled")
