"""What every event is, and what its fields may hold.

Unknown fields are ignored, because contracts only grow. Instants are aware, in UTC; local times are whole
seconds.
"""

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


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that happened; an event type's name is its class's name."""

    event_type: ClassVar[str]
    schema_version: ClassVar[int] = 1

    def __init_subclass__(cls) -> None:
        """Name the event type."""
        cls.event_type = cls.__name__
