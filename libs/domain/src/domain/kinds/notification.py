"""Notifications: an instant, and the words of whoever asked for one."""

from domain.due_events import DueEvent
from domain.event import Text
from domain.kind import Kind, Told
from domain.occasion import Notification


class NotificationDue(DueEvent, frozen=True, kw_only=True):
    """A notification fell due: its instant came."""

    name: Text | None = None


def words(told: Told) -> str:
    """Say what is to be told."""
    return told.message


NOTIFICATION = Kind(
    occasion_type="NOTIFICATION",
    called="a notification",
    rule=Notification,
    due_event=NotificationDue,
    words=words,
    requires=frozenset({"message"}),
    allows=frozenset({"name"}),
)
