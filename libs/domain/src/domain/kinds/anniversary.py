"""Anniversaries: a day that comes round every year and has a name, such as `wedding`."""

from domain.due_events import DueEvent
from domain.event import Text
from domain.kind import Kind, Told
from domain.occasion import Yearly


class AnniversaryDue(DueEvent, frozen=True, kw_only=True):
    """An anniversary fell due, on its day, where its user lives."""

    name: Text


def words(told: Told) -> str:
    """Congratulate by full name on the anniversary's name."""
    return f"Hey, {told.first_name} {told.last_name} happy {told.name} anniversary"


ANNIVERSARY = Kind(
    occasion_type="ANNIVERSARY",
    called="an anniversary",
    rule=Yearly,
    due_event=AnniversaryDue,
    words=words,
    requires=frozenset({"name"}),
)
