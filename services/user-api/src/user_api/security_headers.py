"""The headers that every answer has: what browsers and caches may do with it, which is little."""

from litestar.types import ASGIApp, Message, Receive, Scope, Send

FIRST_ERROR = 400
OWN_WINS = (b"cache-control", b"content-security-policy")

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    # Of requests that know nothing of CORS: an image, a script. Those that do are decided by CORS_ORIGINS.
    (b"cross-origin-resource-policy", b"same-origin"),
)
_ONLY_TLS = (b"strict-transport-security", b"max-age=31536000")
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
# What is read may be kept by the reader alone, and asked for again with its ETag; the rest is kept nowhere.
_READ = (b"cache-control", b"private, no-cache")
_OTHER = (b"cache-control", b"no-store")


class SecurityHeaders:
    """Wraps an application; an answer's own Cache-Control and Content-Security-Policy stay."""

    def __init__(self, app: ASGIApp, *, local: bool) -> None:
        self._app = app
        # A local system has no TLS, and browsers would remember for every port of that host.
        always = _ALWAYS if local else (*_ALWAYS, _ONLY_TLS)
        self._of_a_read = (*always, _POLICY, _READ)
        self._of_others = (*always, _POLICY, _OTHER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, with the headers."""
        reads = scope["method"] in {"GET", "HEAD"}  # type: ignore[typeddict-item] # there are no web sockets

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                read_well = reads and message["status"] < FIRST_ERROR
                headers = self._of_a_read if read_well else self._of_others
                own = [name for name, _ in message["headers"] if name in OWN_WINS]
                if own:
                    headers = tuple(header for header in headers if header[0] not in own)
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        await self._app(scope, receive, with_headers)
