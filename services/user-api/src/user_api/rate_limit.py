"""Rate limits: so many requests a second for a client, whichever process it asks.

Headers by draft-ietf-httpapi-ratelimit-headers-10: the quota is the burst, its window the time in which an
empty bucket fills, so that quota over window is the rate.
"""

import math

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from user_api.client_of import client_of
from user_api.refusals import RateLimitedError
from user_api.token_leases import TokenLeases

# Probes, and what is the same for everybody. Preflights are the browser's own.
UNCOUNTED = ("/health", "/docs", "/openapi.json", "/metrics")


class RateLimit:
    """Wraps the application: counts each request to its client, and tells in headers what is left."""

    def __init__(self, app: ASGIApp, leases: TokenLeases) -> None:
        self._app = app
        self._leases = leases
        limit = leases.limit
        self._policy = f'"default";q={limit.burst};w={math.ceil(limit.fills_within)}'
        self._sent_policy = (b"ratelimit-policy", self._policy.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises RateLimitedError."""
        if scope["path"].startswith(UNCOUNTED) or scope["method"] == "OPTIONS":  # type: ignore[typeddict-item] # there are no web sockets
            await self._app(scope, receive, send)
            return
        limit = self._leases.limit
        left = await self._leases.take(client_of(scope))
        if left is None:
            seconds = math.ceil(1 / limit.rate)
            raise RateLimitedError(
                {
                    "Retry-After": str(seconds),
                    "RateLimit-Policy": self._policy,
                    "RateLimit": f'"default";r=0;t={seconds}',
                }
            )
        full_within = math.ceil((limit.burst - left) / limit.rate)
        sent = (b"ratelimit", b'"default";r=%d;t=%d' % (left, full_within))

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], self._sent_policy, sent]
            await send(message)

        await self._app(scope, receive, told)
