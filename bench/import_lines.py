"""What `import_users` imports: users a line, in chunks as a server gets them."""

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from itertools import islice

import msgspec

from bench.zones import ZONES

CHUNK_LINES = 400  # about 64 KiB, as much as a server reads at once
OLDEST = date(1930, 1, 1)
DAYS = 28_000  # 76 years of birthdays, February 29 among them


def chunks(count: int) -> Iterator[bytes]:
    """Give the lines of that many users, each with a key and an e-mail address of its own."""
    lines = (msgspec.json.encode(_user(number)) for number in range(count))
    while some := list(islice(lines, CHUNK_LINES)):
        yield b"\n".join([*some, b""])


async def received(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Give the chunks as a connection would."""
    for chunk in chunks:
        yield chunk


def _user(number: int) -> dict[str, str]:
    return {
        "key": f"crm-{number}",
        "firstName": "Ada",
        "lastName": f"Lovelace {number}",
        "dateOfBirth": (OLDEST + timedelta(days=number * 37 % DAYS)).isoformat(),
        "timezone": ZONES[number % len(ZONES)],
        "email": f"ada.{number}@example.com",
    }
