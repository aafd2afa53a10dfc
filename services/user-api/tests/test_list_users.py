import random
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runtime.statements import Statements
from testkit import build
from testkit.explain import explain
from testkit.fresh_database import FreshDatabase

Crowd = list[dict[str, Any]]

SQL = Statements("user_api")
SIZE = 400
ZONES = ["UTC", "Asia/Tokyo", "America/New_York"]
LEAP_YEAR_DAYS = [date(2000, 1, 1) + timedelta(days=place) for place in range(366)]

INSERT = """
INSERT INTO users.users (
    id, first_name, last_name, date_of_birth, timezone, email, send_at_local, leap_day_policy, first_date,
    created_at, updated_at
)
SELECT
    gen_random_uuid(), 'Ada', 'Lovelace', date_of_birth, timezone, email, '09:00', 'feb_28', '2027-01-01',
    now(), now()
FROM unnest($1::date[], $2::text[], $3::text[]) AS given (date_of_birth, timezone, email)
"""


@pytest_asyncio.fixture
async def crowd(api: httpx.AsyncClient, database: FreshDatabase) -> Crowd:
    """Store users whose birthdays crowd around a new year and a leap day; return them as answered, by id."""
    admin = await database.connect()
    chance = random.Random(7)  # noqa: S311 - no secret
    near = [*LEAP_YEAR_DAYS[:4], *LEAP_YEAR_DAYS[-4:], *LEAP_YEAR_DAYS[56:62]]
    days = [chance.choice([*near, chance.choice(LEAP_YEAR_DAYS)]) for _ in range(SIZE)]
    emails = [f"Ada{place}@example.com" if place % 2 else None for place in range(SIZE)]
    await admin.execute(INSERT, days, [chance.choice(ZONES) for _ in range(SIZE)], emails)
    listed = (await api.get("/user", params={"limit": 500})).json()["items"]
    assert len(listed) == SIZE
    return sorted(listed, key=lambda user: str(user["id"]))


async def _pages(api: httpx.AsyncClient, query: dict[str, Any]) -> AsyncIterator[Crowd]:
    answer = await api.get("/user", params=query)
    while True:
        assert answer.status_code == 200, answer.text
        yield answer.json()["items"]
        assert answer.links["first"]["url"] == str(httpx.URL("/user", params=query))
        following = answer.links.get("next", {}).get("url")
        assert (following is None) == (answer.json()["nextCursor"] is None)
        if following is None:
            return
        answer = await api.get(following)


def _expected(crowd: Crowd, query: dict[str, Any]) -> Crowd:
    def day(user: dict[str, Any]) -> str:
        return str(user["dateOfBirth"])[5:]

    found = [user for user in crowd if query.get("timezone") in {None, user["timezone"]}]
    if email := query.get("email"):
        found = [user for user in found if (user["email"] or "").lower() == email.lower()]
    if "birthdayFrom" not in query:
        return found
    first, last = query["birthdayFrom"], query["birthdayTo"]
    if first <= last:
        return sorted((user for user in found if first <= day(user) <= last), key=day)
    wrapped = [user for user in found if day(user) >= first or day(user) <= last]
    return sorted(wrapped, key=lambda user: (day(user) < first, day(user)))


month_days = st.one_of(
    st.sampled_from(["12-29", "12-31", "01-01", "01-03", "02-28", "02-29", "03-01"]),
    st.sampled_from(LEAP_YEAR_DAYS).map(lambda day: f"{day:%m-%d}"),
)
queries = st.tuples(
    st.fixed_dictionaries(
        {"limit": st.sampled_from([17, 50, 199, 500])},
        optional={
            "timezone": st.sampled_from(ZONES),
            "email": st.sampled_from(["ada1@EXAMPLE.com", "ada2@example.com", "nobody@example.com"]),
        },
    ),
    st.just({}) | st.fixed_dictionaries({"birthdayFrom": month_days, "birthdayTo": month_days}),
).map(lambda parts: {**parts[0], **parts[1]})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=queries)
async def test_any_filters_list_whom_they_describe_once_and_in_order(
    api: httpx.AsyncClient, crowd: Crowd, query: dict[str, Any]
) -> None:
    pages = [page async for page in _pages(api, query)]

    assert [user["id"] for page in pages for user in page] == [user["id"] for user in _expected(crowd, query)]
    assert all(len(page) == query["limit"] for page in pages[:-1])


async def test_users_who_come_and_go_meanwhile_repeat_nobody_and_hide_nobody(
    api: httpx.AsyncClient, crowd: Crowd, database: FreshDatabase
) -> None:
    admin = await database.connect()
    for query in ({"limit": 60}, {"limit": 20, "birthdayFrom": "12-30", "birthdayTo": "01-03"}):
        before = {user["id"] for user in _expected(crowd, query)}
        gone: set[str] = set()
        seen: list[str] = []
        async for page in _pages(api, query):
            seen += [user["id"] for user in page]
            # The page's last user is the cursor's: it must lead on though they are gone.
            gone.add(seen[-1])
            await admin.execute("DELETE FROM users.users WHERE id = $1", seen[-1])
            await admin.execute(INSERT, [date(2000, 1, 1)] * 5, ["UTC"] * 5, [None] * 5)

        assert len(seen) == len(set(seen))
        assert before <= set(seen)
        crowd[:] = [user for user in crowd if user["id"] not in gone]


async def test_who_was_created_is_found_by_email_and_answered_as_when_read(api: httpx.AsyncClient) -> None:
    created = await api.post("/user", json=build.user_body(email="Ada@Example.com"))
    found = await api.get("/user", params={"email": "ada@example.COM"})

    assert found.json() == {"items": [created.json()], "nextCursor": None}
    assert found.headers["Link"] == '</user?email=ada%40example.COM>; rel="first"'


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("birthdayFrom=02-01", ["birthdayTo"]),
        ("birthdayTo=02-01", ["birthdayFrom"]),
        ("birthdayFrom=02-30&birthdayTo=2-1", ["birthdayFrom", "birthdayTo"]),
        ("birthdayFrom=00-10&birthdayTo=13-01", ["birthdayFrom", "birthdayTo"]),
        ("timezone=Mars/Olympus&email=ada", ["timezone", "email"]),
        ("timezone=&email=", ["timezone", "email"]),
        ("email=a%00b@example.com", ["email"]),
        ("Email=ada@example.com&page=2", ["Email", "page"]),
        ("limit=0", ["limit"]),
        ("cursor=x", ["cursor"]),
    ],
)
async def test_a_parameter_at_fault_is_named(api: httpx.AsyncClient, query: str, fields: list[str]) -> None:
    answer = await api.get(f"/user?{query}")

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == fields


CROWDED = """
INSERT INTO users.users (
    id, first_name, last_name, date_of_birth, timezone, email, send_at_local, leap_day_policy, first_date,
    created_at, updated_at
)
SELECT
    gen_random_uuid(), 'Ada', 'Lovelace', date '1990-01-01' + n % 3650,
    CASE WHEN n % 2 = 0 THEN 'Europe/London' ELSE 'Etc/GMT-' || n % 14 END, 'ada' || n || '@example.com',
    '09:00', 'feb_28', '2027-01-01', now(), now()
FROM generate_series(1, 40000) AS n
"""


LISTED_BY = [
    (None, None, "users_pkey", "users_by_birth_day"),
    ("Etc/GMT-3", None, "users_by_timezone", "users_by_timezone_and_birth_day"),
    ("Europe/London", None, "users_by_timezone", "users_by_timezone_and_birth_day"),
    (None, "Ada7@example.com", "users_by_email", "users_by_email"),
    ("Europe/London", "ada8@example.com", "users_by_email", "users_by_email"),
]


async def test_each_list_reads_its_own_index_and_no_more_rows_than_it_answers(
    database: FreshDatabase,
) -> None:
    admin = await database.connect()
    await admin.execute(CROWDED)
    await admin.execute("VACUUM ANALYZE users.users")
    middle = "80000000-0000-0000-0000-000000000000"

    read = []
    for timezone, email, *indexes in LISTED_BY:
        lists: dict[str, list[object]] = {"list_users": [middle], "list_birthdays": [601, middle, 1231]}
        for index, (name, arguments) in zip(indexes, lists.items(), strict=True):
            plan = await explain(admin, SQL[name], *arguments, timezone, email, 51)
            [scan] = [node for node in plan if node.get("Relation Name") == "users"]
            rows = scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)
            sorts = any(node["Node Type"] == "Sort" for node in plan) and email is None
            read.append((index == scan.get("Index Name"), rows <= 51, sorts, name, timezone, email))

    assert [entry for entry in read if entry[:3] != (True, True, False)] == []

    # And an import looks each line of its batch up: as a join, that would read all users, each time.
    keys = [f"crm-{place}" for place in range(5000)]
    emails = [f"ADA{place}@example.com" for place in range(5000)]
    plan = await explain(admin, SQL["find_imported"], keys, emails, timedelta(0))
    scans = {node.get("Index Name") for node in plan if node.get("Relation Name") == "users"}
    assert scans == {"users_by_import_key", "users_by_email"}
