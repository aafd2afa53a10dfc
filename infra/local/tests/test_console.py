"""The console: spans in, traces out, never more than it may keep, whatever is sent."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
from aiohttp import web
from carillon_local.console.keep_spans import MOST_TEXT, KeptSpans
from carillon_local.console.serve import Console
from carillon_local.console.watch_flow import Watch
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from testkit.otlp_spans import PROTOBUF
from testkit.ports import LOOPBACK, free_port

TRACE = bytes(range(16))
METRICS = """
carillon_outbox_messages{priority="critical"} 2.0
carillon_outbox_messages{priority="low"} 1.0
carillon_queue_messages{queue="webhook-high",state="visible"} 3.0
carillon_queue_messages{queue="webhook-high-dlq",state="visible"} 1.0
carillon_delivery_latency_seconds_count{event_type="BirthdayDue"} 4.0
carillon_delivery_latency_seconds_sum{event_type="BirthdayDue"} 2.0
"""


def export(*names: str, trace_id: bytes = TRACE, event_id: str = "event-1") -> bytes:
    """Make an export of spans, each the child of the one before, a millisecond after it."""
    body = ExportTraceServiceRequest()
    resource = body.resource_spans.add()
    service = resource.resource.attributes.add(key="service.name")
    service.value.string_value = "carillon-scheduler"
    spans = resource.scope_spans.add().spans
    for number, name in enumerate(names):
        span = spans.add(name=name, trace_id=trace_id, span_id=bytes([number + 1]) * 8)
        span.parent_span_id = bytes([number]) * 8 if number else b""
        span.start_time_unix_nano = 1_000_000 * (number + 1)
        span.end_time_unix_nano = 9_000_000
        span.attributes.add(key="carillon.event.id").value.string_value = event_id
    return bytes(body.SerializeToString())


@pytest_asyncio.fixture
async def console() -> AsyncIterator[httpx.AsyncClient]:
    """Serve a console whose services are all away."""
    async with httpx.AsyncClient(trust_env=False) as asks:
        away = f"http://{LOOPBACK}:{free_port()}"
        app = Console(asks, Watch(asks, {"user-api": away}), api_url=away, api_auth={}).application()
        async with serving(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield client


class serving:  # noqa: N801 (used as a context manager only)
    """An application on a free port."""

    def __init__(self, app: web.Application) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, 0).start()
        return f"http://{LOOPBACK}:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


async def send(console: httpx.AsyncClient, body: bytes, content_type: str = PROTOBUF) -> httpx.Response:
    return await console.post("/v1/traces", content=body, headers={"Content-Type": content_type})


async def test_spans_go_in_and_their_trace_comes_out(console: httpx.AsyncClient) -> None:
    taken = await send(console, export("create birthday-due", "attempt"))
    [listed] = (await console.get("/traces")).json()
    first, second = (await console.get(f"/traces/{TRACE.hex()}")).json()

    assert (taken.status_code, taken.content) == (200, b"")
    assert listed == {
        "traceId": TRACE.hex(),
        "name": "create birthday-due",
        "service": "scheduler",
        "startedMs": 1.0,
        "durationMs": 8.0,
        "spans": 2,
        "failed": 0,
    }
    assert (second["name"], second["parentId"], second["durationMs"]) == ("attempt", first["spanId"], 7.0)
    assert (await console.get("/traces/unknown")).json() == []


async def test_what_is_no_export_is_refused_and_metrics_are_dropped(console: httpx.AsyncClient) -> None:
    bad = await send(console, b"\xff\xff")
    foreign = await send(console, export("a"), content_type="text/plain")  # as any page's form can send
    metrics = await console.post("/v1/metrics", content=b"anything")
    short_id = await send(console, export("a", trace_id=b"1"))

    assert (bad.status_code, foreign.status_code, metrics.status_code) == (400, 415, 200)
    assert ExportTraceServiceResponse.FromString(short_id.content).partial_success.rejected_spans == 1
    assert (await console.get("/traces")).json() == []


def test_no_more_is_kept_than_the_last_spans_and_no_long_text() -> None:
    kept = KeptSpans(most=3)
    for number in range(10):
        kept.take(export("a" * 10_000, "b", trace_id=bytes([number]) * 16, event_id=str(number) * 10_000))

    assert len(kept) == 3
    assert {trace.trace_id[:2] for trace in kept.traces(10)} == {"08", "09"}
    [span, _] = kept.trace("09" * 16)
    assert len(span.name) == len(span.attributes["carillon.event.id"]) == MOST_TEXT


async def test_the_page_and_its_parts_come_from_here_and_nothing_else_may(console: httpx.AsyncClient) -> None:
    page = await console.get("/")
    parts = [await console.get(name) for name in ("/console.css", "/console.js", "/bell.svg")]

    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert "'unsafe" not in page.headers["Content-Security-Policy"]
    assert "://" not in page.text
    assert [part.status_code for part in parts] == [200, 200, 200]
    assert not {"innerHTML", "outerHTML", "insertAdjacentHTML"} & set(parts[1].text.replace(".", " ").split())


async def test_the_page_is_answered_while_every_service_is_away(console: httpx.AsyncClient) -> None:
    flow, deliveries = await console.get("/flow"), await console.get("/deliveries")

    assert flow.json()["flow"]["services"] == {"user-api": False}
    assert deliveries.json()["items"] == []
    assert deliveries.json()["problem"].startswith("deliveries are not to be had: ")


async def test_the_flow_is_what_the_services_tell() -> None:
    app = web.Application()

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text=METRICS)

    app.router.add_get("/metrics", metrics)
    async with serving(app) as url, httpx.AsyncClient(trust_env=False) as http:
        away = f"http://{LOOPBACK}:{free_port()}"
        watch = Watch(http, {"dispatcher": f"{url}/metrics", "scheduler": away})
        await watch.read()
        flow = watch.flow()

    assert flow.services == {"dispatcher": True, "scheduler": False}
    assert flow.outbox == 3
    assert [(queue.name, queue.visible, queue.dead) for queue in flow.queues] == [("webhook-high", 3, 1)]
    assert (flow.delivered.total, flow.delivered.mean_ms) == (4, 500)
    assert flow.history == [4]


async def test_a_bad_variable_of_the_process_is_one_line_and_2() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "carillon_local.console"),
        env={**os.environ, "CONSOLE_PORT": "many", "API_URL": "http://a", "METRICS_URLS": "a=http://b"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()

    assert process.returncode == 2
    assert said.decode().startswith("console: CONSOLE_PORT")
    assert len(said.splitlines()) == 1
