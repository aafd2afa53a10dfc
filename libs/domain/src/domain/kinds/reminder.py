"""Reminders: a local time, once or by a recurrence rule, and the user's own words."""

from domain.due_events import DueEvent
from domain.event import Text
from domain.kind import Kind, Told
from domain.occasion import Reminder


class ReminderDue(DueEvent, frozen=True, kw_only=True):
    """A reminder fell due: the local time came, where its user lives."""

    name: Text | None = None


def words(told: Told) -> str:
    """Say what the user asked to be reminded of."""
    return told.message


REMINDER = Kind(
    occasion_type="REMINDER",
    called="a reminder",
    rule=Reminder,
    due_event=ReminderDue,
    words=words,
    requires=frozenset({"message"}),
    allows=frozenset({"name"}),
)
