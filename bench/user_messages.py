"""What `plan` plans: messages that tell of new users, in batches, made when they are asked for."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from messaging.envelope import Outgoing, compose
from messaging.topology import load_topology
from testkit import build
from uuid_utils.compat import uuid7

from bench.scratch import TOPOLOGY_FILE
from bench.zones import ZONES

BATCH = 500  # as many as the consumer merges into one transaction at most
OLDEST = date(1930, 1, 1)
DAYS = 28_000  # 76 years of birthdays, February 29 among them


def user_messages(count: int) -> Iterator[list[str]]:
    """Give the bodies of UserCreated of that many users, as the user API appends them."""
    topology = load_topology(TOPOLOGY_FILE)
    now = datetime.now(UTC)
    for start in range(0, count, BATCH):
        outgoing = [_user_created(number, now) for number in range(start, min(start + BATCH, count))]
        yield [message.body for message in compose(topology, "user-api", now, outgoing)]


def _user_created(number: int, now: datetime) -> Outgoing:
    event = build.user_created(
        user_id=uuid7(),
        occurred_at=now,
        last_name=f"Lovelace {number}",
        date_of_birth=OLDEST + timedelta(days=number * 37 % DAYS),
        timezone=ZONES[number % len(ZONES)],
    )
    return Outgoing(event_id=uuid4(), subject=event.user_id, event=event)
