"""The endpoints that a worker knows: re-read every few seconds, and when a delivery names a newer one."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec
import structlog
from runtime.database import Pool
from runtime.encrypt import Keys, UndecipherableError, headers_of, secret_of
from runtime.statements import Statements
from runtime.stopping import Stop, pause
from standardwebhooks import Webhook

from webhook_worker.delivery import Delivery
from webhook_worker.endpoint import Endpoint

log = structlog.get_logger()

SQL = Statements("webhook_worker")


class Endpoints:
    """Every endpoint there is, decrypted once a version; the default is there whether or not others are.

    `most_time` is the longest that an attempt may take, whatever an endpoint asks for.
    """

    def __init__(self, pool: Pool, keys: Keys, default: Endpoint | None, *, most_time: timedelta) -> None:
        self._pool = pool
        self._keys = keys
        self._most_time = most_time
        self._default = {default.id: default} if default else {}
        self._known: Mapping[UUID, Endpoint] = self._default
        # id → version of those that cannot be decrypted here; told once, not every few seconds.
        self._unreadable: dict[UUID, int] = {}
        # One reading at a time: an older one that ends last must not win.
        self._reading = asyncio.Lock()

    def default_id(self) -> UUID | None:
        """Return the id of the endpoint that gets everything when no other is registered."""
        return next(iter(self._default), None)

    def set_default(self, default: Endpoint | None) -> None:
        """Have another default endpoint from now on, or none."""
        before = self._default
        self._default = {default.id: default} if default else {}
        registered = {one.id: one for one in self._known.values() if one.id not in before}
        self._known = registered | self._default
        if [one.url for one in before.values()] != [one.url for one in self._default.values()]:
            log.info("default_endpoint.changed", is_there=default is not None)

    def get(self, endpoint_id: UUID) -> Endpoint | None:
        """Return an endpoint as it was last read; None if it was not there, or cannot be decrypted."""
        return self._known.get(endpoint_id)

    def enabled(self) -> list[Endpoint]:
        """Return those that may be sent to."""
        return [endpoint for endpoint in self._known.values() if endpoint.enabled]

    async def keep(self, stop: Stop, *, every_seconds: float) -> None:
        """Read them anew until `stop` is set."""
        while not stop.is_set():
            await self.refresh()
            await pause(stop, every_seconds)

    async def know(self, deliveries: Iterable[Delivery]) -> None:
        """Read them anew if a delivery was leased for one not known, or known by an older version only."""
        for delivery in deliveries:
            known = self._known.get(delivery.endpoint_id)
            version = known.version if known else self._unreadable.get(delivery.endpoint_id, -1)
            if version < delivery.endpoint_version:
                await self.refresh()
                return

    async def refresh(self) -> None:
        """Read them anew; what has not changed is not decrypted again."""
        async with self._reading:
            known, unreadable = {}, {}
            for row in await self._pool.fetch(SQL["read_endpoints"]):
                try:
                    known[row["id"]] = self._same(row) or self._read(row)
                except (UndecipherableError, msgspec.DecodeError, ValueError) as error:
                    unreadable[row["id"]] = row["version"]
                    self._tell(row, error)
            self._known, self._unreadable = known | self._default, unreadable

    def _tell(self, row: asyncpg.Record, error: Exception) -> None:
        if self._unreadable.get(row["id"]) != row["version"]:
            log.error("endpoint.unreadable", endpoint_id=str(row["id"]), error=str(error))

    def _same(self, row: asyncpg.Record) -> Endpoint | None:
        """Return what is known of this version, unless the overlap of its secrets has ended since."""
        known = self._known.get(row["id"])
        signers = 1 if row["previous_secret"] is None else 2
        same = known and known.version == row["version"] and len(known.signers) == signers
        return known if same else None

    def _read(self, row: asyncpg.Record) -> Endpoint:
        endpoint_id: UUID = row["id"]
        secrets = [row["secret"], row["previous_secret"]]
        return Endpoint(
            id=endpoint_id,
            version=row["version"],
            url=row["url"],
            signers=tuple(
                Webhook(self._keys.decrypt(secret, about=secret_of(endpoint_id)).decode())
                for secret in secrets
                if secret is not None
            ),
            headers=self._headers(endpoint_id, row["headers"]),
            timeout=min(timedelta(seconds=row["timeout_seconds"]), self._most_time),
            concurrency=row["concurrency"],
            rate_limit=row["rate_limit"],
            enabled=row["enabled"],
        )

    def _headers(self, endpoint_id: UUID, stored: bytes | None) -> dict[str, str]:
        if stored is None:
            return {}
        plain = self._keys.decrypt(stored, about=headers_of(endpoint_id))
        return msgspec.json.decode(plain, type=dict[str, str])
