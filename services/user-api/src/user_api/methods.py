"""HEAD wherever there is GET (RFC 9110 §9.3.2), and Allow headers that say so."""

from litestar.types import ASGIApp, Message, Receive, Scope, Send


class Methods:
    """Wraps Litestar, which knows only the methods that routes name, and answers OPTIONS by itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: HEAD as GET, without the body."""
        method = scope["method"]  # type: ignore[typeddict-item] # there are no web sockets

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        async def with_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, head_too(value.decode()).encode() if name.lower() == b"allow" else value)
                    for name, value in message["headers"]
                ]
            await send(message)

        if method == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, without_body)  # type: ignore[arg-type]
        elif method == "OPTIONS":
            await self._app(scope, receive, with_head)
        else:
            await self._app(scope, receive, send)


def head_too(allow: str) -> str:
    """Give the methods of an Allow header in order, with HEAD if there is GET."""
    methods = {method.strip() for method in allow.split(",")}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))
