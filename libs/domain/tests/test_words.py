import pytest
from domain.message_text import birthday_message
from domain.priority import Priority


def test_priorities_rank_from_critical_to_low() -> None:
    ranks = {priority.value: priority.rank for priority in Priority}
    expected = {"critical": 0, "high": 1, "normal": 2, "low": 3}
    assert expected == ranks


@pytest.mark.parametrize(
    ("first_name", "last_name", "expected"),
    [
        ("John", "Doe", "Hey, John Doe it's your birthday"),
        ("Zoë", "Đặng", "Hey, Zoë Đặng it's your birthday"),
        ("Mary Jane", "O'Neill", "Hey, Mary Jane O'Neill it's your birthday"),
    ],
)
def test_a_birthday_is_wished_by_full_name(first_name: str, last_name: str, expected: str) -> None:
    assert expected == birthday_message(first_name, last_name)
