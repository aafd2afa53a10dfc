"""The console over HTTP: the page, what it asks for, and where spans are sent to."""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files

import httpx
import msgspec
from aiohttp import web
from msgspec import Struct
from runtime.settings import SettingsError
from testkit.otlp_spans import PROTOBUF, taken

from carillon_local.console.keep_spans import KeptSpans
from carillon_local.console.watch_flow import Watch
from carillon_local.make_token import make_token

PAGE = files("carillon_local") / "console" / "page"
PARTS = {
    "": "text/html",
    "console.css": "text/css",
    "console.js": "text/javascript",
    "bell.svg": "image/svg+xml",
}
MAX_BODY = 4 * 1024 * 1024
MOST_TRACES = 60
MOST_DELIVERIES = 8
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Delivery(Struct, frozen=True, kw_only=True, rename="camel"):
    """A delivery as the API lists it; `trace_id` where a span of it is kept."""

    event_id: str
    event_type: str
    user_id: str
    endpoint_id: str
    status: str
    reason: str | None
    attempt_count: int
    created_at: str
    settled_at: str | None
    trace_id: str | None = None


class DeliveryPage(Struct, frozen=True):
    """A page of them."""

    items: list[Delivery]


class Console:
    """Answers for what is kept; `api_auth` is what the API is told about tokens, so that one can be made."""

    def __init__(
        self, http: httpx.AsyncClient, watch: Watch, *, api_url: str, api_auth: Mapping[str, str]
    ) -> None:
        self.spans = KeptSpans()
        self._http = http
        self._watch = watch
        self._api_url = api_url
        self._api_auth = api_auth

    def application(self) -> web.Application:
        """Return the application to serve."""
        app = web.Application(client_max_size=MAX_BODY)
        app.on_response_prepare.append(_with_headers)
        for name, media_type in PARTS.items():
            app.router.add_get(f"/{name}", _part(name or "index.html", media_type))
        app.router.add_get("/health", _healthy)
        app.router.add_get("/flow", self._flow)
        app.router.add_get("/deliveries", self._deliveries)
        app.router.add_get("/traces", self._traces)
        app.router.add_get("/traces/{trace_id}", self._trace)
        app.router.add_post("/v1/traces", self._take)
        app.router.add_post("/v1/metrics", _drop)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        # A page from elsewhere cannot send this type without asking first, which nobody answers.
        if request.content_type != PROTOBUF:
            raise web.HTTPUnsupportedMediaType(text=f"Content-Type is not {PROTOBUF}")
        try:
            rejected = self.spans.take(await request.read())
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return web.Response(body=taken(rejected=rejected), content_type=PROTOBUF)

    async def _flow(self, _: web.Request) -> web.Response:
        return _json({"flow": self._watch.flow(), "topics": dict(self.spans.sent_by_topic())})

    async def _traces(self, _: web.Request) -> web.Response:
        return _json(self.spans.traces(MOST_TRACES))

    async def _trace(self, request: web.Request) -> web.Response:
        # Empty when nothing of it is kept: that is no fault of who asks.
        return _json(self.spans.trace(request.match_info["trace_id"]))

    async def _deliveries(self, _: web.Request) -> web.Response:
        try:
            items = await self._listed()
        except (SettingsError, httpx.HTTPError, msgspec.DecodeError) as error:
            return _json({"items": [], "problem": f"deliveries are not to be had: {error}"})
        traces = self.spans.traces_of_events()
        return _json(
            {"items": [msgspec.structs.replace(one, trace_id=traces.get(one.event_id)) for one in items]}
        )

    async def _listed(self) -> list[Delivery]:
        # Not sampled: the console would keep little but its own questions.
        headers = {"traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"}
        if self._api_auth.get("AUTH") == "jwt":
            token = make_token({**self._api_auth, "ROLE": "service"}, now=int(time.time()))
            headers["Authorization"] = f"Bearer {token}"
        url, limit = f"{self._api_url}/delivery", {"limit": MOST_DELIVERIES}
        answer = await self._http.get(url, params=limit, headers=headers)
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=DeliveryPage).items


def _part(name: str, media_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    body = (PAGE / name).read_bytes()

    async def part(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=media_type, charset="utf-8")

    return part


async def _with_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


async def _healthy(_: web.Request) -> web.Response:
    return _json({"status": "ready"})


async def _drop(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(content_type=PROTOBUF)


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
