"""What every event is, and what its fields may hold.

Unknown fields are ignored, because contracts only grow. Instants are aware, in UTC; local times are whole
seconds.
"""

import re
from datetime import datetime, time
from typing import Annotated, ClassVar

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
LocalTime = Annotated[time, msgspec.Meta(tz=False)]
LocalDateTime = Annotated[datetime, msgspec.Meta(tz=False)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Version = Annotated[int, msgspec.Meta(ge=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
NominalDate = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


VERSIONED = re.compile(r"(.+?)(?:V([2-9]|[1-9][0-9]+))?")


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that happened; an event type's name is its class's name: `BirthdayDueV2` is its version 2.

    A newer version names the one before it, and tells itself as that, for as long as both are published.
    """

    event_type: ClassVar[str]
    schema_version: ClassVar[int]
    before: ClassVar["type[Event] | None"] = None

    def __init_subclass__(cls) -> None:
        """Name the event type and its version."""
        named = VERSIONED.fullmatch(cls.__name__)
        if named is None:
            raise TypeError(cls.__name__)
        cls.event_type, cls.schema_version = named[1], int(named[2] or 1)

    def as_before(self) -> "Event":
        """Return the same fact as the version before tells it."""
        raise NotImplementedError
