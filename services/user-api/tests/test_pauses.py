from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from domain.ids import birthday_occasion_id
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.issuer import AUDIENCE, Issuer

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]

TYPES = ["AnniversaryDue", "BirthdayDue", "NotificationDue", "ReminderDue"]


@pytest_asyncio.fixture
async def user(api: httpx.AsyncClient) -> str:
    """The path of a user."""
    return str((await api.post("/user", json=build.user_body())).headers["Location"])


@pytest_asyncio.fixture(params=["birthday", "reminder"])
async def occasion(api: httpx.AsyncClient, user: str, request: pytest.FixtureRequest) -> str:
    """The path of an occasion: of the birthday that came with the user, or of another one."""
    if request.param == "birthday":
        return f"{user}/occasion/{birthday_occasion_id(UUID(user.rpartition('/')[2]))}"
    made = await api.post(f"{user}/occasion", json=build.reminder_body())
    return str(made.headers["Location"])


async def test_a_paused_occasion_tells_why_since_when_and_who_wherever_it_is_read(
    api: httpx.AsyncClient, user: str, occasion: str
) -> None:
    before = await api.get(occasion)

    paused = await api.post(f"{occasion}/pause", json={"note": " Moved house "})

    assert paused.status_code == 200
    told = paused.json()["paused"]
    assert (told["note"], told["by"]) == ("Moved house", "anonymous")
    assert abs(datetime.fromisoformat(told["since"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert before.json()["paused"] is None
    read = await api.get(occasion)
    assert (read.json(), read.headers["ETag"]) == (paused.json(), paused.headers["ETag"])
    listed = (await api.get(f"{user}/occasion")).json()["items"]
    assert [one["paused"] for one in listed if one["id"] == read.json()["id"]] == [told]
    assert {str(one["paused"]) for one in listed if one["id"] != read.json()["id"]} <= {"None"}


async def test_a_pause_and_a_resumption_are_versions_so_that_no_cache_hides_them(
    api: httpx.AsyncClient, occasion: str
) -> None:
    tags = [(await api.get(occasion)).headers["ETag"]]
    for change in ("pause", "resume"):
        tags.append((await api.post(f"{occasion}/{change}")).headers["ETag"])
        again = await api.get(occasion, headers={"If-None-Match": tags[-2]})
        assert (again.status_code, again.headers["ETag"]) == (200, tags[-1])

    assert tags == ['"1"', '"2"', '"3"']


async def test_pausing_what_is_paused_and_resuming_what_is_not_change_nothing(
    api: httpx.AsyncClient, occasion: str
) -> None:
    first = await api.post(f"{occasion}/pause", json={"note": "first"})
    second = await api.post(f"{occasion}/pause", json={"note": "second"})
    resumed = [await api.post(f"{occasion}/resume") for _ in range(2)]

    assert second.json() == first.json()
    assert [answer.json()["paused"] for answer in resumed] == [None, None]
    assert resumed[0].json() == resumed[1].json()


async def test_an_occasion_that_is_replaced_stays_paused_and_its_answer_may_be_sent_back(
    api: httpx.AsyncClient, user: str
) -> None:
    made = await api.post(f"{user}/occasion", json=build.reminder_body())
    path = made.headers["Location"]
    paused = await api.post(f"{path}/pause", json={"note": "Away"})

    replaced = await api.put(
        path,
        json={**paused.json(), "message": "Take a walk"},
        headers={"If-Match": paused.headers["ETag"]},
    )

    assert replaced.status_code == 200, replaced.text
    assert replaced.json()["paused"] == paused.json()["paused"]
    assert (await api.get(path)).json() == replaced.json()


async def test_a_paused_type_is_told_among_the_event_types_until_it_is_resumed(
    api: httpx.AsyncClient,
) -> None:
    before = (await api.get("/event-type")).json()["items"]

    paused = await api.post("/event-type/ReminderDue/pause", json={"note": "A bad template"})
    again = await api.post("/event-type/ReminderDue/pause", json={"note": "Another"})
    meanwhile = (await api.get("/event-type")).json()["items"]
    resumed = [await api.post("/event-type/ReminderDue/resume") for _ in range(2)]

    assert [one["name"] for one in before] == TYPES
    assert [one["paused"] for one in before] == [None] * 4
    assert before[3] == {
        "name": "ReminderDue",
        "occasionType": "REMINDER",
        "topic": "reminder-due",
        "priority": "normal",
        "catchUpHours": 24.0,
        "sendWindowMinutes": 0,
        "paused": None,
    }
    assert paused.json()["paused"]["note"] == "A bad template"
    assert again.json() == paused.json()
    assert meanwhile == [*before[:3], paused.json()]
    assert [answer.json() for answer in resumed] == [before[3]] * 2
    assert (await api.get("/event-type")).json()["items"] == before


BAD_NOTES = [
    ({"note": ""}, ["note"]),
    ({"note": 1}, ["note"]),
    ({"note": "a\nb"}, ["note"]),
    ({"note": "a" * 501}, ["note"]),
    ({"reason": "Moved"}, ["reason"]),
    ([], ["body"]),
]


async def test_a_note_that_is_no_line_is_refused(api: httpx.AsyncClient, occasion: str) -> None:
    for path in (occasion, "/event-type/ReminderDue"):
        for body, fields in BAD_NOTES:
            answer = await api.post(f"{path}/pause", json=body)
            assert answer.status_code == 400, body
            assert [error["field"] for error in answer.json()["errors"]] == fields
    assert (await api.get(occasion)).json()["paused"] is None


async def test_what_is_unknown_is_neither_paused_nor_resumed(api: httpx.AsyncClient, user: str) -> None:
    unknown = {
        f"/user/{uuid4()}/occasion/{uuid4()}": "unknown-user",
        f"{user}/occasion/{uuid4()}": "unknown-occasion",
        "/event-type/NamedayDue": "unknown-event-type",
        "/event-type/UserCreated": "unknown-event-type",
    }
    for path, kind in unknown.items():
        for change in ("pause", "resume"):
            answer = await api.post(f"{path}/{change}")
            assert (answer.status_code, answer.json()["type"]) == (404, f"urn:carillon:problem:{kind}")


@pytest_asyncio.fixture
async def guarded(
    database: FreshDatabase, environment: Environment, running: Running
) -> AsyncIterator[tuple[httpx.AsyncClient, Issuer]]:
    """A service that asks for tokens, and who makes them."""
    async with Issuer() as issuer:
        issuer.add_key("first")
        tokens = {"JWT_ISSUER": issuer.name, "JWT_AUDIENCE": AUDIENCE, "JWKS_URL": issuer.jwks_url}
        async with running(environment(database.url("carillon_user_api"), AUTH="jwt", **tokens)) as api:
            yield api, issuer


async def test_users_pause_what_is_theirs_under_their_name_and_no_type(
    guarded: tuple[httpx.AsyncClient, Issuer],
) -> None:
    api, issuer = guarded
    admin = {"Authorization": f"Bearer {issuer.token('admin', sub='support-7')}"}
    user = (await api.post("/user", json=build.user_body(), headers=admin)).headers["Location"]
    user_id = UUID(user.rpartition("/")[2])
    own = {"Authorization": f"Bearer {issuer.token('user', sub=str(user_id))}"}
    birthday = f"{user}/occasion/{birthday_occasion_id(user_id)}"

    mine = await api.post(f"{birthday}/pause", headers=own)
    await api.post(f"{birthday}/resume", headers=own)
    supports = await api.post(f"{birthday}/pause", headers=admin)
    types = [await api.get("/event-type", headers=own)]
    types += [
        await api.post(f"/event-type/BirthdayDue/{change}", headers=own) for change in ("pause", "resume")
    ]

    assert (mine.json()["paused"]["by"], supports.json()["paused"]["by"]) == (str(user_id), "support-7")
    assert [answer.status_code for answer in types] == [403] * 3
