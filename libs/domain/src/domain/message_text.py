"""What Carillon says."""

from domain.occasion import OccasionType


def message_text(
    occasion_type: OccasionType, *, first_name: str, last_name: str, name: str | None, message: str | None
) -> str:
    """Give the words of a due event. Raises ValueError where the occasion lacks what they are made of."""
    match occasion_type, name, message:
        case OccasionType.BIRTHDAY, _, _:
            return birthday_message(first_name, last_name)
        case OccasionType.ANNIVERSARY, str(), _:
            return anniversary_message(first_name, last_name, name)
        case OccasionType.REMINDER | OccasionType.NOTIFICATION, _, str():
            return message
        case _:
            raise ValueError(f"{occasion_type} without its words")


def birthday_message(first_name: str, last_name: str) -> str:
    """Congratulate by full name."""
    return f"Hey, {first_name} {last_name} it's your birthday"


def anniversary_message(first_name: str, last_name: str, name: str) -> str:
    """Congratulate by full name on the anniversary's name, such as `wedding`."""
    return f"Hey, {first_name} {last_name} happy {name} anniversary"
