"""What Carillon says."""

from domain.kind import Told
from domain.kinds import kind_of


def message_text(
    occasion_type: str, *, first_name: str, last_name: str, name: str | None, message: str | None
) -> str:
    """Give the words of a due event, by its kind of occasion.

    Raises ValueError where the occasion lacks what they are made of, and UnknownKind.
    """
    kind = kind_of(occasion_type)
    told = Told(first_name=first_name, last_name=last_name, name=name or "", message=message or "")
    if not all(getattr(told, field) for field in kind.requires):
        raise ValueError(f"{occasion_type} without its words")
    return kind.words(told)
