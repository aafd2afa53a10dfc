"""Which fields a client gives of an occasion, by its type."""

from collections.abc import Mapping

from domain.kind import Kind
from domain.kinds import KINDS
from domain.kinds.birthday import BIRTHDAY
from domain.occasion import Notification, Reminder, Rule, Yearly
from msgspec import Struct


class Fields(Struct, frozen=True):
    """The fields of a type."""

    called: str
    required: frozenset[str]
    optional: frozenset[str]

    def __contains__(self, field: str) -> bool:
        """Tell whether a field is one of them."""
        return field in self.required or field in self.optional


def _fields(kind: Kind, required: set[str], optional: set[str]) -> Fields:
    """Give the fields of a kind: those of its rule, those of its words, and how urgent it is."""
    return Fields(kind.called, kind.requires | required, kind.allows | optional | {"priority"})


# What decides when an occasion comes round: the fields that must be there, and those that may be.
_OF_RULE: Mapping[type[Rule], tuple[set[str], set[str]]] = {
    Yearly: ({"date"}, {"sendAtLocal"}),
    Reminder: ({"localDateTime"}, {"rrule"}),
    Notification: ({"at"}, set()),
}
FIELDS: Mapping[str, Fields] = {
    kind.occasion_type: _fields(kind, *of_rule)
    for rule, of_rule in _OF_RULE.items()
    for kind in KINDS.values()
    if kind.rule is rule and kind is not BIRTHDAY
}
"""The fields of every type that a client may create; a birthday comes with its user."""
