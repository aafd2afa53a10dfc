"""BirthdayDue in a second version, which says `text` for `message`: what a new major version takes."""

from domain.due_events import DueEvent
from domain.event import Text
from domain.kind import Kind, Told
from domain.occasion import Yearly
from msgspec import field, structs


class BirthdayDue(DueEvent, frozen=True, kw_only=True):
    """A user's birthday fell due: the moment they chose came, on their day, where they live."""


class BirthdayDueV2(DueEvent, frozen=True, kw_only=True):
    """The same, told otherwise."""

    before = BirthdayDue

    message: Text = field(name="text")

    def as_before(self) -> BirthdayDue:
        """Tell it as version 1 did."""
        return BirthdayDue(**structs.asdict(self))


def words(told: Told) -> str:
    """Congratulate by full name."""
    return f"Hey, {told.first_name} {told.last_name} it's your birthday"


BIRTHDAY = Kind(
    occasion_type="BIRTHDAY", called="a birthday", rule=Yearly, due_event=BirthdayDueV2, words=words
)
