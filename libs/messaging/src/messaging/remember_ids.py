"""An inbox for a consumer without a database: the ids of what this process has done last."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

MOST_REMEMBERED = 10_000


class RememberedIds:
    """Knows the last 10,000 events done by this process, and nothing of other processes or earlier ones."""

    def __init__(self) -> None:
        self._ids: OrderedDict[UUID, None] = OrderedDict()

    @asynccontextmanager
    async def once(self, event_id: UUID) -> AsyncIterator[bool]:
        """Tell whether an event is new; it is done when the context ends well."""
        if event_id in self._ids:
            yield False
            return
        yield True
        self._ids[event_id] = None
        if len(self._ids) > MOST_REMEMBERED:
            self._ids.popitem(last=False)
