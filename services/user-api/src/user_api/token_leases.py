"""Tokens, leased in batches from a client's bucket in PostgreSQL, which all processes share.

A process admits from what it holds, and asks for more before that is used up: a request waits for a query
only where its client is near the limit. Without the database each process admits the rate by itself.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict

import structlog
from runtime.statements import Statements
from runtime.stopping import describe

from user_api.context import Context
from user_api.token_share import Limit, Share

SQL = Statements("user_api")

log = structlog.get_logger()

MOST_CLIENTS = 10_000  # about 5 MB; beyond it, whoever asked longest ago is forgotten
LONGEST_LEASE_SECONDS = 0.5
WITHOUT_DATABASE_SECONDS = 1.0


class TokenLeases:
    """The shares of the clients that this process has heard of lately."""

    def __init__(self, context: Context, limit: Limit) -> None:
        self.limit = limit
        self._context = context
        self._shares: OrderedDict[str, Share] = OrderedDict()
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._alone_until = 0.0

    async def take(self, client: str) -> int | None:
        """Take a token; give how many more there are, as far as is known, or None when there was none."""
        now = time.monotonic()
        share = self._shares.get(client)
        if share is None:
            share = self._shares[client] = Share(self.limit, now)
            if len(self._shares) > MOST_CLIENTS:
                self._shares.popitem(last=False)
        else:
            self._shares.move_to_end(client)
            if share.is_over(now) and client not in self._asking:
                share.begin(now)
        while share.tokens <= 0:
            asking = self._ask(client, share)
            if asking is None:
                return None
            # Not awaited itself: a request that is cut off must not cut off what others wait for.
            await asyncio.wait((asking,))
        share.tokens -= 1
        if share.tokens <= share.low:
            self._ask(client, share)
        return share.tokens + share.left

    def _ask(self, client: str, share: Share) -> asyncio.Task[None] | None:
        """Ask for more, unless somebody is, or just did in vain."""
        asking = self._asking.get(client)
        if asking is None and time.monotonic() >= share.ask_again_at:
            asking = self._asking[client] = asyncio.create_task(self._lease(client, share))
        return asking

    async def _lease(self, client: str, share: Share) -> None:
        wanted = share.wanted(time.monotonic())
        try:
            granted, left = await self._granted(client, wanted)
            now = time.monotonic()
            again = 0.0 if granted == wanted else now + self.limit.ask_again_within
            share.receive(granted, left, now, ask_again_at=again)
        except Exception as error:  # noqa: BLE001 (whatever it is, requests are answered)
            now = time.monotonic()
            if now >= self._alone_until:
                self._alone_until = now + WITHOUT_DATABASE_SECONDS
                log.warning("rate_limit.alone", error=describe(error))
            share.receive(wanted, 0, now, ask_again_at=now + wanted / self.limit.rate)
        finally:
            del self._asking[client]

    async def _granted(self, client: str, wanted: int) -> tuple[int, int]:
        if time.monotonic() < self._alone_until:
            raise ConnectionError
        digest = hashlib.sha256(client.encode()).digest()
        async with asyncio.timeout(LONGEST_LEASE_SECONDS), self._context.connection() as connection:
            [row] = await connection.fetch(
                SQL["lease_tokens"], digest, wanted, self.limit.rate, self.limit.burst
            )
        return row["granted"], row["left"]
