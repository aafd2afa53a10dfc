from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from domain.retry import parse_retry_after
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2027, 3, 14, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("000000000000000120", 120),
        ("86400", 86400),
        ("Sun, 14 Mar 2027 13:00:30 GMT", 30),
        ("Sunday, 14-Mar-27 13:00:30 GMT", 30),
        ("Sun Mar 14 13:00:30 2027", 30),
        ("Sun, 14 Mar 2027 14:00:30 +0100", 30),
        ("Sun, 14 Mar 2027 12:59:00 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ],
)
def test_seconds_and_http_dates_are_read(value: str, seconds: int) -> None:
    assert timedelta(seconds=seconds) == parse_retry_after(value, NOW)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "-1",
        "+5",
        "1.5",
        "1e3",
        "0x10",
        "٣",
        "²",
        "\0",
        "soon",
        "120 seconds",
        "120,120",
        "Sun",
        "Sun, 14 Mar 2027",
        "Sun, 32 Mar 2027 13:00:30 GMT",
        "Sun, 14 Mar 99999 13:00:30 GMT",
        "2027-03-14T13:00:30Z",
    ],
)
def test_garbage_is_nothing(value: str) -> None:
    assert None is parse_retry_after(value, NOW)


@pytest.mark.parametrize("value", ["9" * 13, "9" * 10_000])
def test_more_seconds_than_there_are_is_the_longest_wait(value: str) -> None:
    assert timedelta.max == parse_retry_after(value, NOW)


NEARLY_DATES = r"[A-Za-z]{3}, [0-9]{1,3} [A-Za-z]{3} [0-9]{1,6} [0-9:]{1,9}( [-+A-Z0-9]+)?"


@given(value=st.text() | st.from_regex(NEARLY_DATES))
def test_whatever_is_sent_the_answer_is_none_or_a_wait(value: str) -> None:
    wait = parse_retry_after(value, NOW)
    assert wait is None or wait >= timedelta(0)


@given(wait=st.integers(0, 10**9))
def test_a_date_and_its_seconds_are_the_same_wait(wait: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=wait), usegmt=True)
    assert parse_retry_after(str(wait), NOW) == parse_retry_after(date, NOW)
