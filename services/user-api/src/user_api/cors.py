"""CORS (the Fetch standard): whose pages may call the API from a browser. Bearer tokens only, no cookies.

Litestar's own stands within Litestar, so that what is answered before it has no CORS headers: a browser then
hides a 401 or 503 from the page that should read it.
"""

from litestar.types import ASGIApp, Message, Receive, Scope, Send

EVERYBODY = "*"
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
REQUEST_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
    "traceparent, tracestate, X-Request-Id"
)
ANSWER_HEADERS = (
    "Deprecation, ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, "
    "Sunset, X-Request-Id"
)
PREFLIGHT_SECONDS = 7200  # the longest that browsers keep one

Headers = tuple[tuple[bytes, bytes], ...]

_ALLOW_ORIGIN = b"access-control-allow-origin"
_EXPOSE = (b"access-control-expose-headers", ANSWER_HEADERS.encode())
_VARY = (b"vary", b"Origin")
_PREFLIGHT: Headers = (
    (b"access-control-allow-methods", METHODS.encode()),
    (b"access-control-allow-headers", REQUEST_HEADERS.encode()),
    (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode()),
)


class Cors:
    """Wraps an application: preflights are answered here, other answers tell whose pages may read them."""

    def __init__(self, app: ASGIApp, origins: str) -> None:
        self._app = app
        listed = [origin.strip().encode() for origin in origins.split(",")]
        self._allowed: dict[bytes, Headers] = {origin: ((_ALLOW_ORIGIN, origin), _VARY) for origin in listed}
        # Where it depends on the origin, a cache must know, also of answers to none.
        self._otherwise: Headers = (_VARY,)
        if origins == EVERYBODY:
            self._allowed, self._otherwise = {}, ((_ALLOW_ORIGIN, b"*"),)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, with the headers."""
        asked = dict(scope["headers"])
        headers = self._allowed.get(asked.get(b"origin", b""), self._otherwise)
        allowed = headers[0][0] == _ALLOW_ORIGIN
        if b"access-control-request-method" in asked and scope["method"] == "OPTIONS":  # type: ignore[typeddict-item] # there are no web sockets
            preflight = [*headers, *(_PREFLIGHT if allowed else ())]
            await send({"type": "http.response.start", "status": 204, "headers": preflight})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        told = (*headers, _EXPOSE) if allowed else headers

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *told]
            await send(message)

        await self._app(scope, receive, with_headers)
