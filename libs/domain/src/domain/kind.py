"""What a kind of occasion is; `domain.kinds` has them all."""

from collections.abc import Callable

from msgspec import Struct

from domain.due_events import DueEvent
from domain.occasion import Rule


class Told(Struct, frozen=True, kw_only=True):
    """What words can be made of: the user's names, the occasion's name and message; "" where it has none."""

    first_name: str
    last_name: str
    name: str
    message: str


class Kind(Struct, frozen=True, kw_only=True):
    """A kind of occasion: all that sets it apart from the others.

    `occasion_type` names it in events and rows, `called` in sentences. It comes round by a rule of the class
    `rule`; then its `due_event` tells the `words`. Of `name` and `message`, its occasions have those that it
    `requires`, and may have those that it `allows`.
    """

    occasion_type: str
    called: str
    rule: type[Rule]
    due_event: type[DueEvent]
    words: Callable[[Told], str]
    requires: frozenset[str] = frozenset()
    allows: frozenset[str] = frozenset()
