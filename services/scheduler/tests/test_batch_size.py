import pytest
from scheduler.batch_size import next_batch_size


@pytest.mark.parametrize(
    ("size", "seconds", "expected"),
    [
        (100, 0.1, 100),
        (200, 0.1, 200),
        (200, 0.08, 250),
        (200, 0.16, 125),
        (100, 0.01, 200),  # never more than doubled
        (400, 2.0, 200),  # never less than halved
        (400, 0.05, 500),
        (120, 0.2, 100),
        (100, 0.0, 200),
    ],
)
def test_a_batch_is_as_large_as_a_tenth_of_a_second_allows_between_100_and_500(
    size: int, seconds: float, expected: int
) -> None:
    assert expected == next_batch_size(size, seconds=seconds, most=500)


def test_a_setting_below_the_least_wins() -> None:
    assert [next_batch_size(7, seconds=seconds, most=7) for seconds in (0.001, 10)] == [7, 7]
