"""A webhook receiver that verifies every POST, as an integrator's would: in tests, and as a process.

`python -m testkit.receiver` listens on RECEIVER_PORT; GET /deliveries?since=<index> returns what came.
"""

import asyncio
import base64
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import web
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from testkit.ports import LOOPBACK
from testkit.received import Received, Records, Tally
from testkit.replies import Replies, Reply, Scripted

__all__ = ["Receiver", "Reply", "Scripted", "new_secret"]

MAX_BODY = 1024 * 1024
BAD_SIGNATURE = 401


def new_secret() -> str:
    """Return a new webhook secret: `whsec_` and 32 random bytes in base64."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


class Receiver:
    """Answers POSTs on `url` (any path) with 204, or as told by `reply_with`; a bad signature gets 401.

    `port` 0 takes a free one. `clock_offset_seconds` is the business clock's, for the lag. Each record is
    also given to `on_delivery`.
    """

    def __init__(
        self,
        *,
        secret: str,
        host: str = LOOPBACK,
        port: int = 0,
        clock_offset_seconds: float = 0,
        on_delivery: Callable[[Received], None] | None = None,
    ) -> None:
        self.secret = secret
        self.port = port
        self._host = host
        self._verifier = Webhook(secret)
        self._clock_offset_seconds = clock_offset_seconds
        self._on_delivery = on_delivery
        self._records = Records()
        self._replies = Replies()
        self._arrived = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where to send webhooks from this machine."""
        return f"http://{LOOPBACK}:{self.port}/webhook"

    @property
    def deliveries(self) -> list[Received]:
        """The last 10,000 POSTs, oldest first."""
        return list(self._records.last)

    @property
    def tally(self) -> Tally:
        """Counts over all POSTs."""
        return self._records.tally

    def reply_with(self, replies: Iterable[Scripted], *, user_id: str | None = None) -> None:
        """Answer the next well-signed POSTs so, one each, or a user's next ones; 204 again afterwards."""
        self._replies.extend(replies, user_id=user_id)

    async def wait_for(self, count: int, *, within: float = 10.0) -> list[Received]:
        """Return the deliveries once `count` have come; AssertionError after `within` seconds."""
        deadline = time.monotonic() + within
        while self.tally.received < count:
            self._arrived.clear()
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self._arrived.wait()
            except TimeoutError:
                raise AssertionError(f"{self.tally.received} of {count} came within {within:g} s") from None
        return self.deliveries

    async def __aenter__(self) -> Self:
        """Listen; OSError when the port is taken."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_get("/health", self._health)
        app.router.add_get("/deliveries", self._list)
        app.router.add_post("/{path:.*}", self._receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        try:
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening; requests still answered slowly are cut."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        at = datetime.now(UTC)
        raw = await request.read()
        body = _parse(raw)
        headers = {name.lower(): value for name, value in request.headers.items()}
        valid = self._is_signed(raw, headers)
        reply = await self._replies.next(request, body) if valid else Reply(status=BAD_SIGNATURE)
        # Recorded before it is answered: whoever gives up waiting was still heard.
        record = self._records.add(
            at=at,
            headers=headers,
            body=body,
            valid=valid,
            status=reply.status,
            clock_offset_seconds=self._clock_offset_seconds,
        )
        self._arrived.set()
        if self._on_delivery is not None:
            self._on_delivery(record)
        await asyncio.sleep(reply.after_seconds)
        return web.Response(status=reply.status, headers=reply.headers)

    def _is_signed(self, raw: bytes, headers: Mapping[str, str]) -> bool:
        # A malformed header makes the library raise ValueError.
        try:
            self._verifier.verify(raw, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError):
            return False
        return True

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ready"})

    async def _list(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isdecimal():
            return web.json_response({"error": "since is not a whole number"}, status=400)
        listing = {**msgspec.structs.asdict(self.tally), "items": self._records.since(int(since))}
        return web.Response(body=msgspec.json.encode(listing), content_type="application/json")


def _parse(raw: bytes) -> object:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw.decode(errors="replace")


if __name__ == "__main__":
    from testkit.receiver_process import main

    main()
