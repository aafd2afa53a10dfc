"""The demo's middle: create the users, then watch their webhooks arrive."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
from msgspec import Struct
from testkit.received import Received

from carillon_local.demo_result import Result
from carillon_local.demo_users import DemoUser, demo_users
from carillon_local.live_table import LiveTable, Row

LEAD = timedelta(seconds=3)  # time to create the users and plan their birthdays, 20 ms a user beyond that
LEAD_A_USER = timedelta(milliseconds=20)
SPREAD = timedelta(seconds=5)
DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.1
# A second delivery of the same birthday would come while the first one's outcome is on its way.
LINGER_SECONDS = 1.0


class DemoFailedError(Exception):
    """The demo could not be carried out; the message says why."""


class Listing(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the receiver answers to GET /deliveries."""

    received: int
    duplicates: int
    invalid: int
    items: list[Received]


class Arrivals:
    """The first well-signed delivery of each user, and the counts."""

    def __init__(self) -> None:
        self.first: dict[str, Received] = {}
        self.listing = Listing(received=0, duplicates=0, invalid=0, items=[])

    async def look(self, http: httpx.AsyncClient, receiver_url: str) -> None:
        """Take in what has come since the last look."""
        answer = await http.get(f"{receiver_url}/deliveries", params={"since": self.listing.received})
        self.listing = msgspec.json.decode(answer.raise_for_status().content, type=Listing)
        for record in self.listing.items:
            if record.valid and isinstance(record.body, dict):
                self.first.setdefault(str(record.body.get("userId")), record)


async def create_users(
    http: httpx.AsyncClient, api_url: str, count: int, *, clock_offset_seconds: float
) -> dict[str, DemoUser]:
    """Create the users over REST; return them by id. Raises DemoFailedError."""
    now = datetime.now(UTC) + timedelta(seconds=clock_offset_seconds)
    users = list(demo_users(count, first_due=now + LEAD + LEAD_A_USER * count, spread=SPREAD))
    created = {}
    for user in users:
        answer = await http.post(f"{api_url}/user", json=user.body())
        if answer.status_code != httpx.codes.CREATED:
            raise DemoFailedError(f"POST /user was answered {answer.status_code}: {answer.text}")
        created[str(answer.json()["id"])] = user
    if datetime.now(UTC) + timedelta(seconds=clock_offset_seconds) >= users[0].due_at:
        raise DemoFailedError(f"creating {count} users took until after the first birthday: try fewer")
    return created


async def watch(
    http: httpx.AsyncClient, receiver_url: str, users: dict[str, DemoUser], table: LiveTable
) -> Result:
    """Show the webhooks arrive until all have, or the deadline; then a second longer, for duplicates."""
    arrivals = Arrivals()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(arrivals.first.keys() & users.keys()) < len(users) and time.monotonic() < deadline:
        table.show(rows(users, arrivals))
        await asyncio.sleep(POLL_SECONDS)
        await arrivals.look(http, receiver_url)
    await asyncio.sleep(LINGER_SECONDS)
    await arrivals.look(http, receiver_url)
    table.show(rows(users, arrivals))
    return result(users, arrivals)


def rows(users: dict[str, DemoUser], arrivals: Arrivals) -> Sequence[Row]:
    """Return the table's rows, in the order of the birthdays."""
    return [row(user, arrivals.first.get(user_id)) for user_id, user in users.items()]


def row(user: DemoUser, record: Received | None) -> Row:
    """Return one user's row."""
    return Row(
        name=user.name,
        timezone=user.timezone,
        local_time=user.send_at_local,
        due_at=user.due_at,
        status="waiting" if record is None else "delivered",
        lag_ms=record.lag_ms if record else None,
        signature_ok=record.valid if record else None,
    )


def result(users: dict[str, DemoUser], arrivals: Arrivals) -> Result:
    """Return what was measured."""
    first = arrivals.first
    return Result(
        users=len(users),
        missing=tuple(user.name for user_id, user in users.items() if user_id not in first),
        duplicates=arrivals.listing.duplicates,
        badly_signed=arrivals.listing.invalid,
        lags_ms=tuple(record.lag_ms for record in first.values() if record.lag_ms is not None),
    )
