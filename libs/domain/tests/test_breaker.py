from uuid import uuid4

import pytest
from domain.breaker import (
    Breaker,
    Closed,
    Open,
    Probing,
    after_attempt,
    after_loss,
    after_start,
    most_admitted,
)
from hypothesis import given
from hypothesis import strategies as st

ONE, PROBE = uuid4(), uuid4()
NOW = 1_000_000.0


def after(breaker: Breaker, ends: str, *, now: float = NOW, every: float = 0) -> Breaker:
    """Have attempts end, `+` delivered and `-` failed, `every` so many seconds."""
    for number, end in enumerate(ends):
        breaker = after_attempt(breaker, ONE, delivered=end == "+", now=now + number * every)
    return breaker


@pytest.mark.parametrize("ends", ["-" * 10, "+++" + "-" * 7, "-+" * 3 + "-" * 4, "+" * 30 + "-" * 70])
def test_seven_failures_of_ten_attempts_or_more_open_it_for_thirty_seconds(ends: str) -> None:
    assert isinstance(after(Closed(), ends[:-1]), Closed)
    opened = after(Closed(), ends)

    assert opened == Open(NOW + 30)
    assert [most_admitted(opened, NOW + seconds) for seconds in (0, 29.9, 30, 3000)] == [0, 0, 1, 1]


@pytest.mark.parametrize("ends", ["-" * 9, "++++" + "-" * 8, "-" * 6 + "+" * 30, ""])
def test_fewer_failures_or_fewer_attempts_leave_it_closed(ends: str) -> None:
    breaker = after(Closed(), ends)

    assert isinstance(breaker, Closed)
    assert most_admitted(breaker, NOW) is None


@pytest.mark.parametrize(("apart", "opens"), [(33, True), (34, False), (60, False), (301, False)])
def test_what_ended_more_than_five_minutes_ago_is_forgotten(apart: float, opens: bool) -> None:  # noqa: FBT001 (a case)
    assert isinstance(after(Closed(), "-" * 10, every=apart), Open) == opens


def test_nine_failures_of_long_ago_and_one_of_now_open_nothing() -> None:
    breaker = after(Closed(), "-" * 9)

    assert isinstance(after(breaker, "-", now=NOW + 311), Closed)


def test_an_open_one_takes_one_probe_and_nothing_else_until_that_has_ended() -> None:
    probing = after_start(Open(NOW), PROBE)

    assert probing == Probing(PROBE)
    assert most_admitted(probing, NOW + 3000) == 0
    assert after_attempt(probing, PROBE, delivered=True, now=NOW) == Closed()
    assert after_attempt(probing, PROBE, delivered=False, now=NOW) == Open(NOW + 30)
    assert after_loss(probing, PROBE, NOW) == Open(NOW)


@pytest.mark.parametrize("breaker", [Open(NOW + 30), Probing(PROBE)])
@pytest.mark.parametrize("delivered", [True, False])
def test_what_began_before_it_opened_neither_closes_nor_reopens_it(
    breaker: Breaker,
    delivered: bool,  # noqa: FBT001 (a case)
) -> None:
    assert after_attempt(breaker, ONE, delivered=delivered, now=NOW) == breaker
    assert after_loss(breaker, ONE, NOW) == breaker


def test_a_closed_one_takes_starts_and_losses_as_they_come() -> None:
    breaker = after(Closed(), "-+-")

    assert after_start(breaker, ONE) == after_loss(breaker, ONE, NOW) == breaker


@given(ends=st.lists(st.tuples(st.booleans(), st.floats(0, 120)), max_size=60))
def test_it_opens_exactly_when_the_last_five_minutes_say_so_and_keeps_no_more_than_those(
    ends: list[tuple[bool, float]],
) -> None:
    breaker: Breaker = Closed()
    now, seen = NOW, list[tuple[float, bool]]()
    for delivered, wait in ends:
        now += wait
        seen.append((now, delivered))
        recent = [good for at, good in seen if at // 10 > now // 10 - 30]

        breaker = after_attempt(breaker, ONE, delivered=delivered, now=now)

        failures = recent.count(False)
        assert isinstance(breaker, Open) == (len(recent) >= 10 and failures >= 0.7 * len(recent))
        if not isinstance(breaker, Closed):
            break
        assert len(breaker.slices) <= 30
