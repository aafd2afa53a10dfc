import pytest
from domain.message_text import birthday_message, message_text
from domain.occasion import OccasionType
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


@pytest.mark.parametrize(
    ("occasion_type", "expected"),
    [
        (OccasionType.BIRTHDAY, "Hey, John Doe it's your birthday"),
        (OccasionType.ANNIVERSARY, "Hey, John Doe happy wedding anniversary"),
        (OccasionType.REMINDER, "Water the plants"),
        (OccasionType.NOTIFICATION, "Water the plants"),
    ],
)
def test_each_kind_of_occasion_has_its_words(occasion_type: OccasionType, expected: str) -> None:
    words = message_text(
        occasion_type, first_name="John", last_name="Doe", name="wedding", message="Water the plants"
    )
    assert expected == words


@pytest.mark.parametrize("occasion_type", [one for one in OccasionType if one is not OccasionType.BIRTHDAY])
def test_an_occasion_without_its_words_has_none(occasion_type: OccasionType) -> None:
    with pytest.raises(ValueError, match="without its words"):
        message_text(occasion_type, first_name="John", last_name="Doe", name=None, message=None)
