from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4, uuid5

from domain.due_date import LAST_INSTANT, DueDate
from domain.ids import due_event_id
from domain.send_window import jitter_seconds, spread
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

OCCASION = UUID("0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61")
DUE = DueDate(
    nominal_date="2027-06-01",
    local_date=date(2027, 6, 1),
    local_time=time(9),
    due_at=datetime(2027, 6, 1, 8, tzinfo=UTC),
)


@given(st.uuids(), st.integers(0, 720))
def test_every_place_is_a_whole_second_within_the_window(event_id: UUID, minutes: int) -> None:
    assert jitter_seconds(event_id, minutes) in range(max(1, minutes * 60))


def test_a_burst_is_spread_evenly() -> None:
    places = [jitter_seconds(uuid5(OCCASION, str(n)), 10) for n in range(60_000)]

    a_minute = [sum(place // 60 == minute for place in places) for minute in range(10)]

    assert sum(a_minute) == 60_000
    assert all(5_700 < due < 6_300 for due in a_minute)  # 6,000, and four standard deviations


def test_a_date_keeps_its_place_however_often_it_is_planned() -> None:
    place = jitter_seconds(due_event_id(OCCASION, DUE.nominal_date), 30)

    assert spread(DUE, OCCASION, 30) == replace(
        DUE, due_at=DUE.due_at + timedelta(seconds=place), jitter_seconds=place
    )
    # A published vector: another release that placed it elsewhere would move what is planned.
    assert place == 1_026


def test_without_a_window_a_date_is_due_at_the_instant_promised() -> None:
    assert spread(DUE, uuid4(), 0) == DUE


def test_the_calendars_last_instant_is_not_passed() -> None:
    last = replace(DUE, due_at=LAST_INSTANT - timedelta(seconds=0.5))

    assert spread(last, OCCASION, 720) == last
