"""What a webhook receiver got: each POST as a record, and the counts over all of them, in bounded memory."""

from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

KEPT_RECORDS = 10_000
KEPT_IDS = 200_000  # some 40 MB at most


class Received(Struct, frozen=True, kw_only=True, rename="camel"):
    """One POST as it arrived. `received_at` is wall time, UTC; `lag_ms` is what lay between due and arrival.

    `status` is what was answered, `repeat` whether this webhook-id had been answered 2xx before.
    """

    index: int
    webhook_id: str
    received_at: datetime
    lag_ms: float | None
    valid: bool
    status: int
    repeat: bool
    headers: dict[str, str]
    body: Any


class Tally(Struct, frozen=True, kw_only=True, rename="camel"):
    """Counts over all: `accepted`, distinct webhook-ids answered 2xx; `duplicates`, all further ones."""

    received: int
    accepted: int
    duplicates: int
    invalid: int


class Records:
    """The last 10,000 records, and the counts over all; the last 200,000 ids are remembered."""

    def __init__(self) -> None:
        self.last: deque[Received] = deque(maxlen=KEPT_RECORDS)
        self._accepted_ids: OrderedDict[str, None] = OrderedDict()
        self._received = self._accepted = self._duplicates = self._invalid = 0

    @property
    def tally(self) -> Tally:
        """The counts until now."""
        return Tally(
            received=self._received,
            accepted=self._accepted,
            duplicates=self._duplicates,
            invalid=self._invalid,
        )

    def has_accepted(self, webhook_id: str) -> bool:
        """Tell whether this id has been answered 2xx."""
        return webhook_id in self._accepted_ids

    def add(
        self,
        *,
        at: datetime,
        headers: Mapping[str, str],
        body: Any,  # noqa: ANN401 (whatever JSON was sent)
        valid: bool,
        status: int,
        clock_offset_seconds: float,
    ) -> Received:
        """Record one POST and what it is answered; a 2xx for an id that has had one is a duplicate."""
        webhook_id = headers.get("webhook-id", "")
        record = Received(
            index=self._received,
            webhook_id=webhook_id,
            received_at=at,
            lag_ms=_lag_ms(body, at, clock_offset_seconds),
            valid=valid,
            status=status,
            repeat=self.has_accepted(webhook_id),
            headers=dict(headers),
            body=body,
        )
        self.last.append(record)
        self._received += 1
        self._invalid += not valid
        if valid and 200 <= status < 300:  # noqa: PLR2004 (2xx)
            self._duplicates += record.repeat
            self._accepted += not record.repeat
            self._accepted_ids[webhook_id] = None
            if len(self._accepted_ids) > KEPT_IDS:
                self._accepted_ids.popitem(last=False)
        return record

    def since(self, index: int) -> list[Received]:
        """Return the kept records from `index` on."""
        first = self.last[0].index if self.last else 0
        return list(self.last)[max(0, index - first) :]


def _lag_ms(body: Any, at: datetime, clock_offset_seconds: float) -> float | None:  # noqa: ANN401 (as above)
    try:
        due = msgspec.convert(body["scheduledFor"], datetime)
        lag = (at - due.astimezone(UTC)).total_seconds() + clock_offset_seconds
    except (KeyError, TypeError, ValueError, msgspec.ValidationError):
        return None
    return round(lag * 1000, 1)
