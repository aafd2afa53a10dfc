"""Counts what falls due by type and time zone, and draws it: a whole consumer of Carillon's events."""

import asyncio
import os
from collections import Counter

from domain.events import AnniversaryDue, BirthdayDue, DueEvent, ReminderDue
from messaging.kit import consume, listen

QUEUE = os.environ.get("QUEUE", "carillon-local-analytics")
COUNTED: list[type[DueEvent]] = [BirthdayDue, AnniversaryDue, ReminderDue]
ROWS, WIDTH = 20, 40


def chart(counts: Counter[tuple[str, str]]) -> str:
    """Draw a bar for each type and time zone, the most frequent first."""
    [(_, most)] = counts.most_common(1)
    rows = [
        f"{event_type:<15} {zone:<30} {'█' * max(1, WIDTH * count // most)} {count}"
        for (event_type, zone), count in counts.most_common(ROWS)
    ]
    return "\n".join([f"{counts.total()} so far", *rows, ""])


async def main() -> None:
    """Count until SIGTERM or Ctrl-C, and draw the chart anew at each event."""
    counts = Counter[tuple[str, str]]()
    async with listen(QUEUE) as queue:
        async for event in consume(queue, types=COUNTED):
            counts[event.event_type, event.timezone] += 1
            print(chart(counts), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
