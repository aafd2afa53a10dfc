"""HEAD wherever there is GET (RFC 9110 §9.3.2), OPTIONS everywhere, and Allow headers that say so."""

from http import HTTPStatus

from litestar.types import ASGIApp, Message, Receive, Scope, Send

# No route has it, so Litestar refuses it with all the methods that there are. Its own answer to OPTIONS names
# those of one handler only, where several have the same path.
NO_METHOD = "NONE"


class Methods:
    """Wraps Litestar, which knows only the methods that routes name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: HEAD as GET without the body, OPTIONS from what is allowed."""
        match scope["method"]:  # type: ignore[typeddict-item] # there are no web sockets
            case "HEAD":
                await self._app({**scope, "method": "GET"}, receive, _without_body(send))  # type: ignore[arg-type]
            case "OPTIONS":
                await self._app({**scope, "method": NO_METHOD}, receive, _as_options(send))  # type: ignore[arg-type]
            case _:
                await self._app(scope, receive, send)


def head_too(allow: str) -> str:
    """Give the methods of an Allow header in order, with HEAD if there is GET."""
    methods = {method.strip() for method in allow.split(",")}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _without_body(send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.body":
            message["body"] = b""
        await send(message)

    return answer


def _as_options(send: Send) -> Send:
    allowed = False

    async def answer(message: Message) -> None:
        nonlocal allowed
        if message["type"] == "http.response.start" and message["status"] == HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = True
            message["status"] = HTTPStatus.NO_CONTENT
            message["headers"] = [header for header in message["headers"] if header[0].lower() == b"allow"]
        elif message["type"] == "http.response.body" and allowed:
            message["body"] = b""
        await send(message)

    return answer
