import zoneinfo
from datetime import UTC, date, datetime, timedelta

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date()
ZONES = sorted(zoneinfo.available_timezones() - {"localtime"})

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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=users)
async def test_any_user_is_answered_and_read_back_as_sent(
    api: httpx.AsyncClient, body: dict[str, str]
) -> None:
    created = await api.post("/user", json=body)
    read = await api.get(created.headers["Location"])

    assert created.status_code == 201
    assert read.json() == created.json()
    assert read.json() | body == read.json()

    # An e-mail address may come again in another example.
    await api.delete(created.headers["Location"], headers={"If-Match": '"1"'})
