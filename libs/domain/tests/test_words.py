import pytest
from domain.kinds import UnknownKind
from domain.message_text import message_text
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
    assert expected == message_text(
        "BIRTHDAY", first_name=first_name, last_name=last_name, name=None, message=None
    )


@pytest.mark.parametrize(
    ("occasion_type", "expected"),
    [
        ("BIRTHDAY", "Hey, John Doe it's your birthday"),
        ("ANNIVERSARY", "Hey, John Doe happy wedding anniversary"),
        ("REMINDER", "Water the plants"),
        ("NOTIFICATION", "Water the plants"),
    ],
)
def test_each_kind_of_occasion_has_its_words(occasion_type: str, expected: str) -> None:
    words = message_text(
        occasion_type, first_name="John", last_name="Doe", name="wedding", message="Water the plants"
    )
    assert expected == words


@pytest.mark.parametrize(
    ("occasion_type", "lacking"),
    [("ANNIVERSARY", "name"), ("REMINDER", "message"), ("NOTIFICATION", "message")],
)
@pytest.mark.parametrize("nothing", [None, ""])
def test_an_occasion_without_its_words_has_none(
    occasion_type: str, lacking: str, nothing: str | None
) -> None:
    told = {"name": "wedding", "message": "Water the plants", lacking: nothing}
    with pytest.raises(ValueError, match=f"{occasion_type} without its words"):
        message_text(occasion_type, first_name="John", last_name="Doe", **told)


def test_a_kind_that_nobody_knows_is_named() -> None:
    with pytest.raises(UnknownKind, match="unknown kind of occasion: 'NAMEDAY'"):
        message_text("NAMEDAY", first_name="John", last_name="Doe", name=None, message=None)
