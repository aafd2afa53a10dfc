from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from domain.retry import (
    Decision,
    Delivered,
    Failure,
    Forbidden,
    GaveUp,
    NoResponse,
    Outcome,
    PutBack,
    Response,
    RetryAt,
    decide_retry,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2027, 3, 14, 13, tzinfo=UTC)
RETRIED = [408, 425, 429, 500, 502, 503, 504, 521, 599, 101, 600]
GIVEN_UP = [300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 409, 410, 413, 418, 422, 431, 451, 499]

results = st.one_of(
    st.builds(Response, st.sampled_from(RETRIED), st.none() | st.timedeltas()),
    st.builds(NoResponse, st.sampled_from(sorted({*get_args(Failure)} - {"proxy_failed"}))),
)
jitters = st.floats(0, 1)


def decide(result: Outcome, attempt: int = 1, jitter: float = 0.0) -> Decision:
    return decide_retry(result, attempt=attempt, now=NOW, jitter=jitter)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize("attempt", [1, 10])
def test_a_2xx_is_delivered(status: int, attempt: int) -> None:
    assert Delivered() == decide(Response(status), attempt)


@pytest.mark.parametrize("status", RETRIED)
def test_a_passing_trouble_is_retried_in_five_seconds(status: int) -> None:
    assert RetryAt(NOW + timedelta(seconds=5), f"HTTP {status}") == decide(Response(status))


def test_no_answer_is_retried_in_five_seconds() -> None:
    soon = NOW + timedelta(seconds=5)
    assert RetryAt(soon, "connection lost") == decide(NoResponse("connection_lost"))
    assert RetryAt(soon, "TLS failed: expired") == decide(NoResponse("tls_failed", "TLS failed: expired"))


@pytest.mark.parametrize("attempt", [1, 10, 11])
def test_what_fails_on_our_own_side_is_tried_again_in_half_a_minute_and_never_given_up(attempt: int) -> None:
    proxy_failed = NoResponse("proxy_failed")
    assert PutBack(NOW + timedelta(seconds=30), "proxy failed") == decide(proxy_failed, attempt)
    assert PutBack(NOW + timedelta(seconds=33), "proxy failed") == decide(proxy_failed, attempt, jitter=1.0)


def test_where_nothing_may_ever_be_sent_nothing_is_tried_again() -> None:
    assert GaveUp("address not allowed: private") == decide(Forbidden("address not allowed: private"))


@pytest.mark.parametrize("status", GIVEN_UP)
def test_a_redirect_or_a_refusal_is_given_up_at_once(status: int) -> None:
    assert GaveUp(f"HTTP {status}") == decide(Response(status, timedelta(seconds=1)))


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [
        (1, 5),
        (2, 5 * 60),
        (3, 30 * 60),
        (4, 2 * 3600),
        (5, 5 * 3600),
        (6, 10 * 3600),
        (7, 14 * 3600),
        (8, 20 * 3600),
        (9, 24 * 3600),
    ],
)
def test_each_wait_is_as_the_schedule_says_and_at_most_a_tenth_longer(attempt: int, seconds: int) -> None:
    plain = RetryAt(NOW + timedelta(seconds=seconds), "HTTP 500")
    longest = RetryAt(NOW + timedelta(seconds=seconds * 1.1), "HTTP 500")
    assert (plain, longest) == (decide(Response(500), attempt), decide(Response(500), attempt, jitter=1.0))


def test_ten_attempts_take_75_hours_and_35_minutes() -> None:
    at = NOW
    for attempt in range(1, 10):
        decision = decide_retry(Response(503), attempt=attempt, now=at, jitter=0.0)
        assert isinstance(decision, RetryAt)
        at = decision.at
    assert timedelta(hours=75, minutes=35, seconds=5) == at - NOW
    assert GaveUp("HTTP 503 after 10 attempts") == decide(Response(503), 10)


@pytest.mark.parametrize(
    ("status", "retry_after", "attempt", "expected"),
    [
        (429, timedelta(minutes=1), 1, timedelta(minutes=1)),
        (503, timedelta(minutes=1), 1, timedelta(minutes=1)),
        (500, timedelta(minutes=1), 1, timedelta(seconds=5)),
        (408, timedelta(minutes=1), 1, timedelta(seconds=5)),
        (429, timedelta(minutes=1), 2, timedelta(minutes=5)),
        (429, timedelta(0), 1, timedelta(seconds=5)),
        (429, timedelta(seconds=-9), 1, timedelta(seconds=5)),
        (503, timedelta(days=30), 1, timedelta(hours=10)),
        (503, timedelta(days=30), 9, timedelta(hours=24)),
        (503, timedelta.max, 1, timedelta(hours=10)),
    ],
)
def test_retry_after_is_heard_on_429_and_503_and_only_delays(
    status: int, retry_after: timedelta, attempt: int, expected: timedelta
) -> None:
    assert RetryAt(NOW + expected, f"HTTP {status}") == decide(Response(status, retry_after), attempt)


@given(result=results, attempt=st.integers(1, 12), jitter=jitters)
def test_retry_after_never_hastens_never_changes_the_count_and_is_bounded(
    result: Response | NoResponse, attempt: int, jitter: float
) -> None:
    without = Response(result.status) if isinstance(result, Response) else result
    heard, plain = decide(result, attempt, jitter), decide(without, attempt, jitter)
    assert type(plain) is type(heard)
    assert (attempt >= 10) is isinstance(heard, GaveUp)
    if isinstance(heard, RetryAt) and isinstance(plain, RetryAt):
        longest = max(NOW + timedelta(hours=10) * 1.1, plain.at)
        assert plain.at <= heard.at <= longest


@given(result=results, attempt=st.integers(1, 9), less=jitters, more=jitters)
def test_jitter_only_adds_and_at_most_a_tenth(
    result: Response | NoResponse, attempt: int, less: float, more: float
) -> None:
    less, more = sorted([less, more])
    plain, sooner, later = (decide(result, attempt, jitter) for jitter in (0.0, less, more))
    assert isinstance(plain, RetryAt)
    assert isinstance(sooner, RetryAt)
    assert isinstance(later, RetryAt)
    rounding = timedelta(microseconds=1)
    assert plain.at <= sooner.at <= later.at <= NOW + (plain.at - NOW) * 1.1 + rounding


@pytest.mark.parametrize(
    ("attempt", "jitter", "now"),
    [
        (0, 0.0, NOW),
        (1, -0.1, NOW),
        (1, 1.1, NOW),
        (1, float("nan"), NOW),
        (1, 0.0, NOW.replace(tzinfo=None)),
    ],
)
def test_senseless_arguments_are_refused(attempt: int, jitter: float, now: datetime) -> None:
    with pytest.raises(ValueError, match="attempts count from 1"):
        decide_retry(Response(500), attempt=attempt, now=now, jitter=jitter)
