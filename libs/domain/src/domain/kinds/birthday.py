"""Birthdays: each user has one, made with them."""

from domain.due_events import DueEvent
from domain.kind import Kind, Told
from domain.occasion import Yearly


class BirthdayDue(DueEvent, frozen=True, kw_only=True):
    """A user's birthday fell due: the moment they chose came, on their day, where they live."""


def words(told: Told) -> str:
    """Congratulate by full name."""
    return f"Hey, {told.first_name} {told.last_name} it's your birthday"


BIRTHDAY = Kind(
    occasion_type="BIRTHDAY", called="a birthday", rule=Yearly, due_event=BirthdayDue, words=words
)
