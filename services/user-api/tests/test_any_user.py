import json
import zoneinfo
from datetime import UTC, date, datetime, timedelta

import httpx
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date()
ZONES = sorted(zoneinfo.available_timezones() - {"localtime"})
ANY = {"If-Match": "*"}
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}

names = (
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=100)
    .map(str.strip)
    .filter(lambda text: any(character.isprintable() and character != " " for character in text))
)
users = st.fixed_dictionaries(
    {
        "firstName": names,
        "lastName": names,
        "dateOfBirth": st.dates(date.min, YESTERDAY).map(str),
        "timezone": st.sampled_from(ZONES),
    },
    optional={
        "email": st.uuids().map(lambda unique: f"{unique}@example.com"),
        # Whole minutes are answered as HH:MM, which a table elsewhere has.
        "sendAtLocal": st.times()
        .map(lambda at: at.replace(microsecond=0))
        .map(lambda at: at.isoformat("seconds" if at.second else "minutes")),
        "leapDayPolicy": st.sampled_from(["feb_28", "mar_1", "skip"]),
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=users)
async def test_any_user_is_answered_read_listed_and_patched_as_sent(
    api: httpx.AsyncClient, body: dict[str, str]
) -> None:
    created = await api.post("/user", json=body)
    read = await api.get(created.headers["Location"])
    listed = await api.get("/user", params={"timezone": body["timezone"]})
    patched = await api.patch(
        created.headers["Location"], content=msgspec.json.encode(body), headers={**ANY, **MERGE_PATCH}
    )

    assert created.status_code == 201
    assert read.json() == created.json()
    assert read.json() | body == read.json()
    assert listed.json()["items"] == [created.json()]
    assert patched.json() == created.json()

    # An e-mail address may come again in another example.
    await api.delete(created.headers["Location"], headers=ANY)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(users, min_size=1, max_size=12, unique_by=lambda body: body.get("email", object())))
async def test_any_users_are_listed_as_imported(api: httpx.AsyncClient, bodies: list[dict[str, str]]) -> None:
    lines = [{**body, "key": str(place)} for place, body in enumerate(bodies)]
    imported = await api.post(
        "/user/import",
        content=b"\n".join(map(msgspec.json.encode, lines)),
        headers={"Content-Type": "application/x-ndjson"},
    )
    results = [json.loads(line) for line in imported.text.splitlines()][:-1]
    listed = (await api.get("/user")).json()["items"]

    assert [result["status"] for result in results] == ["created"] * len(bodies)
    assert [user["id"] for user in listed] == [result["id"] for result in results]
    assert [user | body for user, body in zip(listed, bodies, strict=True)] == listed

    for user in listed:
        await api.delete(f"/user/{user['id']}", headers=ANY)
