import asyncio
import json
import re
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing

import asyncpg
import httpx
import pytest
from runtime import telemetry
from runtime.logs import add_trace_ids
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.otlp_sink import OtlpSink, Span
from testkit.wait import eventually

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = {"traceparent": f"00-{TRACE}-{CALLER}-01", "tracestate": "shop=1"}
ROUTE_OF_A_USER = "/user/{user_id}"


@pytest.fixture
def is_instrumented() -> Callable[[], bool]:
    return lambda: hasattr(asyncpg.Connection.fetch, "__wrapped__")


def inserts_of(spans: list[Span]) -> list[Span]:
    return [span for span in spans if "INSERT INTO users.users" in span.attributes.get("db.query.text", "")]


async def test_a_request_is_traced_from_its_caller_to_the_statement_and_the_message(
    database: FreshDatabase,
    environment: Environment,
    running: Running,
    monkeypatch: pytest.MonkeyPatch,
    is_instrumented: Callable[[], bool],
) -> None:
    monkeypatch.setattr(telemetry, "LAST_SPANS_SECONDS", 60)  # a slow machine loses none here
    settings = environment(database.url("carillon_user_api"))
    async with OtlpSink() as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.endpoint)
        with capture_logs(processors=[merge_contextvars, add_trace_ids]) as logs:
            async with running(settings) as api:
                body = build.user_body(email="ada@example.com")
                made = await api.post("/user?by=ada@example.com", json=body, headers=SENT)
                assert (await api.post("/user", json=body)).status_code == 409
                await api.get(made.headers["Location"])
                await api.get("/user/ada@example.com")
                await api.get("/nowhere")
                await eventually(lambda: sum(line["event"] == "request" for line in logs) >= 5)
        # The service has stopped, and with it the last spans were sent.
        spans = sink.spans

    servers = {
        (span.name, span.attributes["http.response.status_code"]): span
        for span in spans
        if span.kind == "SPAN_KIND_SERVER"
    }
    assert set(servers) == {
        ("POST /user", 201),
        ("POST /user", 409),
        (f"GET {ROUTE_OF_A_USER}", 200),
        (f"GET {ROUTE_OF_A_USER}", 400),
        ("GET", 404),
    }
    post = servers["POST /user", 201]
    assert (post.trace_id, post.parent_id) == (TRACE, CALLER)
    assert post.attributes == {
        "http.request.method": "POST",
        "http.route": "/user",
        "http.response.status_code": 201,
        "url.scheme": "http",
        "url.path": "/user",
        "network.protocol.version": "1.1",
    }
    assert post.resource["service.name"] == "carillon-user-api"
    assert post.resource["service.version"] == "0.1.0"
    assert servers["POST /user", 409].trace_id != TRACE
    assert {span.status for span in servers.values()} == {"STATUS_CODE_UNSET"}

    inserts = inserts_of(spans)
    assert {span.name for span in inserts} == {"WITH"}
    assert {span.parent_id for span in inserts} == {post.span_id, servers["POST /user", 409].span_id}
    assert {span.status for span in inserts} == {
        "STATUS_CODE_UNSET"
    }  # an address that is taken is no failure
    # Neither a query, nor a mistyped path, nor PostgreSQL's "Key (lower(email))=(…) already exists".
    assert not re.search(rb"example\.com|Lovelace", b"".join(sink.bodies))

    admin = await database.connect()
    attributes = json.loads(await admin.fetchval("SELECT attributes FROM outbox.messages"))
    [told] = [span for span in spans if span.name == "create user-created" and span.trace_id == TRACE]
    assert (told.kind, told.parent_id) == ("SPAN_KIND_PRODUCER", post.span_id)
    assert attributes["traceparent"] == f"00-{TRACE}-{told.span_id}-01"
    assert attributes["tracestate"] == "shop=1"
    lines = [line for line in logs if line["event"] == "request" and line["status"] == 201]
    assert [(line["traceId"], line["spanId"]) for line in lines] == [(TRACE, post.span_id)]
    assert not is_instrumented()


async def test_requests_that_share_a_statement_are_linked_and_their_events_keep_their_own_traces(
    database: FreshDatabase,
    environment: Environment,
    running: Running,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telemetry, "LAST_SPANS_SECONDS", 60)
    settings = environment(database.url("carillon_user_api"))
    admin = await database.connect()
    async with OtlpSink() as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.endpoint)
        async with running(settings) as api:
            await api.post("/user", json=build.user_body())  # and the clock is known
            async with admin.transaction():
                # Those that come while the first one waits for the table go together.
                await admin.execute("LOCK TABLE users.users IN EXCLUSIVE MODE")
                posts = [asyncio.create_task(api.post("/user", json=build.user_body())) for _ in range(6)]
                await eventually(lambda: _is_waited_for(database))
                await asyncio.sleep(0.1)
            assert {(await post).status_code for post in posts} == {201}
        spans = sink.spans

    servers = {span.span_id: span for span in spans if span.name == "POST /user"}
    inserting = {span.parent_id for span in inserts_of(spans)}
    linked = [span for span in servers.values() if span.links]
    assert linked
    for span in linked:
        assert span.links[0][1] in inserting
        assert span.span_id not in inserting
    rows = await admin.fetch("SELECT attributes FROM outbox.messages")
    traceparents = [json.loads(row["attributes"])["traceparent"].split("-") for row in rows]
    made = {span.span_id: span for span in spans if span.name == "create user-created"}
    assert {made[parts[2]].parent_id for parts in traceparents} == set(servers)
    assert {parts[1] for parts in traceparents} == {span.trace_id for span in servers.values()}


async def _is_waited_for(database: FreshDatabase) -> bool:
    connection = await database.connect()
    return bool(await connection.fetchval("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"))


async def test_a_backend_that_hangs_holds_up_neither_requests_nor_the_end(
    database: FreshDatabase, environment: Environment, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "LAST_SPANS_SECONDS", 0.2)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "5")
    with closing(socket.create_server(("127.0.0.1", 0))) as hanging:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{hanging.getsockname()[1]}")
        async with running(environment(database.url("carillon_user_api"))) as api:
            assert (await api.post("/user", json=build.user_body())).status_code == 201
        assert is_exporting()
    await eventually(lambda: not is_exporting(), within=30)  # or it would trouble the tests to come


def is_exporting() -> bool:
    return any(thread.name == "OtelBatchSpanRecordProcessor" for thread in threading.enumerate())


async def test_without_an_endpoint_nothing_is_instrumented(
    api: httpx.AsyncClient, database: FreshDatabase, is_instrumented: Callable[[], bool]
) -> None:
    assert not is_instrumented()
    await api.post("/user", json=build.user_body(), headers=SENT)
    admin = await database.connect()

    attributes = json.loads(await admin.fetchval("SELECT attributes FROM outbox.messages"))
    assert set(attributes) == {"eventType", "priority"}
