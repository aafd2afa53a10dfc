from datetime import date, datetime

import pytest
from domain.recurrence import RecurrenceError, recurrence
from domain.zones import UnknownZone
from hypothesis import given, settings
from hypothesis import strategies as st

START = datetime(2026, 11, 23, 18)  # noqa: DTZ001 - local; a Monday
NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("rrule", "normal", "last_date"),
    [
        ("FREQ=DAILY", "FREQ=DAILY", None),
        ("rrule:freq=daily", "FREQ=DAILY", None),
        (" RRULE:FREQ=DAILY;INTERVAL=1;WKST=MO ", "FREQ=DAILY", None),
        ("BYDAY=TH,MO,TH;COUNT=12;FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=12;BYDAY=MO,TH", "2026-12-31"),
        ("FREQ=WEEKLY;INTERVAL=02;WKST=SU", "FREQ=WEEKLY;INTERVAL=2;WKST=SU", None),
        ("FREQ=MONTHLY;BYDAY=+1MO,-1FR", "FREQ=MONTHLY;BYDAY=-1FR,1MO", None),
        ("FREQ=MONTHLY;BYMONTHDAY=31,16,8,-16", "FREQ=MONTHLY;BYMONTHDAY=-16,8,16,31", None),
        (
            "FREQ=YEARLY;BYMONTH=12,3;BYSETPOS=-1;BYDAY=MO",
            "FREQ=YEARLY;BYMONTH=3,12;BYDAY=MO;BYSETPOS=-1",
            None,
        ),
        # COUNT counts dates; a start that is none is not counted
        ("FREQ=DAILY;COUNT=1", "FREQ=DAILY;COUNT=1", "2026-11-23"),
        ("FREQ=WEEKLY;BYDAY=TU;COUNT=2", "FREQ=WEEKLY;COUNT=2;BYDAY=TU", "2026-12-01"),
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2", "FREQ=MONTHLY;COUNT=2;BYMONTHDAY=31", "2027-01-31"),
        # UNTIL is inclusive, to the second of the reminder's own time of day
        ("FREQ=DAILY;UNTIL=20261123", "FREQ=DAILY;UNTIL=20261123", "2026-11-23"),
        ("FREQ=DAILY;UNTIL=20261130", "FREQ=DAILY;UNTIL=20261130", "2026-11-30"),
        ("FREQ=DAILY;UNTIL=20261130T180000", "FREQ=DAILY;UNTIL=20261130", "2026-11-30"),
        ("FREQ=DAILY;UNTIL=20261130T175959", "FREQ=DAILY;UNTIL=20261129", "2026-11-29"),
        ("FREQ=DAILY;UNTIL=20261130T230000Z", "FREQ=DAILY;UNTIL=20261130", "2026-11-30"),
        ("FREQ=DAILY;UNTIL=20261130T225959Z", "FREQ=DAILY;UNTIL=20261129", "2026-11-29"),
        ("FREQ=DAILY;UNTIL=20261201T000000Z", "FREQ=DAILY;UNTIL=20261130", "2026-11-30"),
        ("FREQ=DAILY;UNTIL=99991231T235959Z", "FREQ=DAILY;UNTIL=99991231", "9999-12-31"),
    ],
)
def test_a_rule_is_written_in_one_form_and_its_end_is_a_date(
    rrule: str, normal: str, last_date: str | None
) -> None:
    expected = (normal, last_date and date.fromisoformat(last_date))
    assert expected == recurrence(rrule, START, NEW_YORK)
    assert expected == recurrence(normal, START, "Asia/Tokyo")  # what was resolved is so in every zone


@pytest.mark.parametrize(
    ("until", "last_date"),
    [("20271107T052959Z", 6), ("20271107T053000Z", 7), ("20271107T061500Z", 7), ("20271107T063000Z", 7)],
)
def test_of_a_time_that_occurs_twice_until_includes_the_first(until: str, last_date: int) -> None:
    start = datetime(2027, 11, 1, 1, 30)  # noqa: DTZ001 - local
    assert (f"FREQ=DAILY;UNTIL=2027110{last_date}", date(2027, 11, last_date)) == recurrence(
        f"FREQ=DAILY;UNTIL={until}", start, NEW_YORK
    )


@pytest.mark.parametrize(
    ("rrule", "reason"),
    [
        ("", "NAME=VALUE"),
        ("DAILY", "NAME=VALUE"),
        ("FREQ=DAILY;", "NAME=VALUE"),
        ("FREQ=", "NAME=VALUE"),
        ("FREQ=DAILY\nFREQ=DAILY", "FREQ=DAILY\nFREQ=DAILY is not supported"),
        ("DTSTART=20260101;FREQ=DAILY", "DTSTART is not supported"),
        ("FREQ=DAILY;BYHOUR=9", "BYHOUR is not supported"),
        ("FREQ=DAILY;BYMINUTE=9", "BYMINUTE is not supported"),
        ("FREQ=DAILY;BYSECOND=9", "BYSECOND is not supported"),
        ("FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO is not supported"),
        ("FREQ=YEARLY;BYYEARDAY=100", "BYYEARDAY is not supported"),
        ("FREQ=YEARLY;BYEASTER=0", "BYEASTER is not supported"),
        ("FREQ=YEARLY;" + "X" * 99 + "=0", "XXXXXXXXXXXXXXXXXXXX… is not supported"),
        ("FREQ=HOURLY", "FREQ=HOURLY is not supported: use DAILY, WEEKLY, MONTHLY, YEARLY"),
        ("FREQ=MINUTELY", "FREQ=MINUTELY is not supported"),
        ("FREQ=SECONDLY", "FREQ=SECONDLY is not supported"),
        ("BYDAY=MO", "FREQ is missing"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ is there twice"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be 1 to 1000, not 0"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL must be 1 to 1000, not -1"),
        ("FREQ=DAILY;INTERVAL=1001", "INTERVAL must be 1 to 1000, not 1001"),
        ("FREQ=YEARLY;INTERVAL=101", "INTERVAL must be 1 to 100, not 101"),
        ("FREQ=DAILY;INTERVAL=1.5", "INTERVAL must be 1 to 1000, not 1.5"),
        ("FREQ=DAILY;COUNT=0", "COUNT must be 1 to 1000, not 0"),
        ("FREQ=DAILY;COUNT=1001", "COUNT must be 1 to 1000, not 1001"),
        ("FREQ=YEARLY;COUNT=102", "COUNT reaches further than 100 years"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "COUNT and UNTIL exclude each other"),
        ("FREQ=DAILY;UNTIL=20270230", "UNTIL must be YYYYMMDD"),
        ("FREQ=DAILY;UNTIL=2027-02-03", "UNTIL must be YYYYMMDD"),
        ("FREQ=DAILY;UNTIL=20270101T240000", "UNTIL must be YYYYMMDD"),
        ("FREQ=DAILY;UNTIL=20261122", "UNTIL ends the rule before its first date, 2026-11-23"),
        ("FREQ=DAILY;UNTIL=20261123T175959", "UNTIL ends the rule before its first date, 2026-11-23"),
        ("FREQ=DAILY;UNTIL=00010101T000000Z", "UNTIL ends the rule before its first date, 2026-11-23"),
        ("FREQ=DAILY;WKST=MON", "WKST must be one of MO, TU, WE, TH, FR, SA, SU, not MON"),
        ("FREQ=DAILY;BYMONTH=13", "BYMONTH must be 1 to 12, not 13"),
        ("FREQ=DAILY;BYMONTH=-1", "BYMONTH must be 1 to 12, not -1"),
        ("FREQ=DAILY;BYMONTH=1,", "BYMONTH must be 1 to 12, not "),
        ("FREQ=DAILY;BYMONTHDAY=0", "BYMONTHDAY must be 1 to 31 or -1 to -31, not 0"),
        ("FREQ=DAILY;BYMONTHDAY=32", "BYMONTHDAY must be 1 to 31 or -1 to -31, not 32"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY does not go with FREQ=WEEKLY"),
        ("FREQ=WEEKLY;BYDAY=MONDAY", "BYDAY must name days such as MO or -1FR, not MONDAY"),
        ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY=1MO does not go with FREQ=WEEKLY"),
        ("FREQ=DAILY;BYDAY=-1MO", "BYDAY=-1MO does not go with FREQ=DAILY"),
        ("FREQ=MONTHLY;BYDAY=6MO", "the number of a BYDAY must be 1 to 5 or -1 to -5, not 6"),
        ("FREQ=YEARLY;BYDAY=0MO", "the number of a BYDAY must be 1 to 53 or -1 to -53, not 0"),
        ("FREQ=YEARLY;BYDAY=54MO", "the number of a BYDAY must be 1 to 53 or -1 to -53, not 54"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS needs another BY part"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367", "BYSETPOS must be 1 to 366 or -1 to -366, not 367"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "has no date within 8 years"),
        ("FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=2", "has no date within 8 years"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=TU", "has no date within 8 years"),
        ("FREQ=YEARLY;INTERVAL=9;BYMONTH=10", "has no date within 8 years"),
        ("FREQ=DAİLY", "ASCII"),
        ("FREQ=DAILY;BYMONTHDAY=" + ",".join(["1"] * 250), "at most 500"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_reason(rrule: str, reason: str) -> None:
    with pytest.raises(RecurrenceError) as refused:
        recurrence(rrule, START, NEW_YORK)
    assert reason in str(refused.value)


def test_the_first_date_may_be_eight_years_off() -> None:
    start = datetime(2096, 3, 1, 9)  # noqa: DTZ001 - local; 2100 is no leap year
    assert recurrence("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", start, "UTC")[1] is None


def test_a_start_on_the_calendars_last_day_is_refused_or_kept_but_never_an_accident() -> None:
    start = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001 - local
    assert recurrence("FREQ=DAILY;COUNT=1", start, "Pacific/Kiritimati")[1] == date.max
    with pytest.raises(RecurrenceError, match="COUNT reaches"):
        recurrence("FREQ=DAILY;COUNT=2", start, "Etc/GMT+12")


def test_an_unknown_zone_is_not_the_rules_fault() -> None:
    with pytest.raises(UnknownZone):
        recurrence("FREQ=DAILY;UNTIL=20270101T000000Z", START, "Mars/Olympus")


WORDS = st.sampled_from(
    ["FREQ=", "INTERVAL=", "COUNT=", "UNTIL=", "WKST=", "BYMONTH=", "BYDAY=", "BYSETPOS="]
)
WORDS |= st.sampled_from(
    ["DAILY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY", "MO", "-1FR", "T000000", "Z", "RRULE:"]
)
WORDS |= st.sampled_from([";", ",", "-", "+", "0", "1", "2", "31", "366", "99999", "20270101"])


@settings(max_examples=300, deadline=None)
@given(
    rrule=st.text(max_size=30) | st.lists(WORDS, max_size=30).map("".join),
    start=st.datetimes().map(lambda at: at.replace(microsecond=0)),
)
def test_whatever_is_sent_it_is_a_rule_or_refused(rrule: str, start: datetime) -> None:
    try:
        normal, last_date = recurrence(rrule, start, NEW_YORK)
    except RecurrenceError as refused:
        assert str(refused)  # noqa: PT017 - either will do
    else:
        assert (normal, last_date) == recurrence(normal, start, "Asia/Tokyo")
