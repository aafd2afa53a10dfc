"""Name days: a kind of occasion that Carillon does not have, to show what a new one takes."""

from domain.due_events import DueEvent
from domain.kind import Kind, Told
from domain.occasion import Yearly


class NamedayDue(DueEvent, frozen=True, kw_only=True):
    """A user's name day fell due, on its day, where they live."""


def words(told: Told) -> str:
    """Congratulate by first name: it is that name's day."""
    return f"Hey, {told.first_name}, happy name day"


NAMEDAY = Kind(occasion_type="NAMEDAY", called="a name day", rule=Yearly, due_event=NamedayDue, words=words)
