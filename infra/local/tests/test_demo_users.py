from datetime import UTC, date, datetime, time, timedelta

import pytest
from carillon_local.demo_result import Result, percentile
from carillon_local.demo_users import demo_user, demo_users
from domain.due_dates import next_due_at
from domain.occasion import LeapDayPolicy, Yearly

INSTANTS = [
    datetime(2026, 11, 22, 16, 50, 3, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, 58, tzinfo=UTC),  # New Year's night
    datetime(2027, 2, 28, 23, 59, 58, tzinfo=UTC),
    datetime(2028, 2, 29, 8, 59, 58, tzinfo=UTC),  # a leap day
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # Europe repeats the hour from 01:00 UTC on
    datetime(2026, 11, 1, 4, 15, tzinfo=UTC),  # St John's repeats an hour
    datetime(2027, 4, 3, 15, 10, tzinfo=UTC),  # Lord Howe repeats half an hour
    datetime(2026, 10, 25, 1, 0, 0, 500_000, tzinfo=UTC),
]


@pytest.mark.parametrize("first_due", INSTANTS)
def test_every_user_rings_at_their_moment_by_the_rule_itself(first_due: datetime) -> None:
    for user in demo_users(12, first_due=first_due, spread=timedelta(seconds=5)):
        birthday = Yearly(
            date=user.date_of_birth,
            send_at_local=user.send_at_local,
            timezone=user.timezone,
            leap_day_policy=LeapDayPolicy.FEB_28,
        )
        due = next_due_at(birthday, after=first_due - timedelta(seconds=3))

        assert due is not None
        assert due.due_at == user.due_at
        assert first_due <= user.due_at <= first_due + timedelta(seconds=6)


def test_a_dozen_users_are_in_a_dozen_zones_with_half_and_quarter_hours_among_them() -> None:
    users = list(demo_users(12, first_due=INSTANTS[0], spread=timedelta(seconds=5)))

    minutes = {(user.send_at_local.minute - user.due_at.minute) % 60 for user in users}
    assert len({user.timezone for user in users}) == 12
    assert minutes == {0, 30, 45}


def test_more_than_a_dozen_users_have_names_of_their_own() -> None:
    users = list(demo_users(30, first_due=INSTANTS[0], spread=timedelta(seconds=5)))

    assert len({user.name for user in users}) == 30


def test_a_moment_just_after_midnight_is_on_the_next_day_there() -> None:
    user = demo_user("Zofia", "Nowak", "Europe/Warsaw", due_at=datetime(2026, 12, 31, 23, 0, 1, tzinfo=UTC))

    assert user.local_date == date(2027, 1, 1)
    assert user.send_at_local == time(0, 0, 1)
    assert user.body() == {
        "firstName": "Zofia",
        "lastName": "Nowak",
        "timezone": "Europe/Warsaw",
        "dateOfBirth": "1990-01-01",
        "sendAtLocal": "00:00:01",
    }


def test_on_a_leap_day_the_user_is_born_on_one() -> None:
    user = demo_user("Grace", "Hopkins", "Europe/London", due_at=datetime(2028, 2, 29, 9, tzinfo=UTC))

    assert user.date_of_birth == date(1992, 2, 29)


def result(*, missing: tuple[str, ...] = (), duplicates: int = 0, badly_signed: int = 0) -> Result:
    return Result(
        users=12,
        missing=missing,
        duplicates=duplicates,
        badly_signed=badly_signed,
        lags_ms=tuple(float(lag) for lag in range(10, 130, 10)),
    )


def test_the_summary_reads_as_promised() -> None:
    assert result().summary() == "delivered 12/12  duplicates 0  p50 60 ms  p99 120 ms"
    assert result().reasons == []


def test_what_is_not_as_promised_has_a_reason() -> None:
    assert result(missing=("Kai Kealoha",)).reasons == ["not delivered: Kai Kealoha"]
    assert result(duplicates=2).reasons == ["2 delivered more than once"]
    assert result(badly_signed=1).reasons == ["1 with a bad signature"]
    assert result(missing=("Kai Kealoha",)).summary().startswith("delivered 11/12  ")


def test_percentiles_are_nearest_rank() -> None:
    assert percentile([30, 10, 20], 50) == "20"
    assert percentile([30, 10, 20], 99) == "30"
    assert percentile([], 50) == "-"
