"""What a collector sees of one birthday, and that nobody else notices whether it is there."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from msgspec import Struct
from runtime.metric_names import ALL as METRICS
from runtime.metric_names import API, CONSUMERS, DISPATCHER, EVERY, LOOP_FAILURES, SCHEDULER, WORKER
from testkit.otlp_sink import OtlpSink, Span
from testkit.received import Received
from testkit.receiver import Receiver
from testkit.wait import eventually

from tests.running_system import SERVICES, Carillon, posts_for, soon

pytestmark = pytest.mark.asyncio(loop_scope="session")

Tree = set[tuple[str, str, str, str | None]]

LAST = "process scheduler-outcomes"
# Service, span, kind, and the span above it; statements apart.
DUE: Tree = {
    ("scheduler", "create birthday-due", "PRODUCER", None),
    ("dispatcher", "send birthday-due", "CLIENT", "create birthday-due"),
    ("webhook-worker", "process webhook-critical", "CONSUMER", "create birthday-due"),
    ("webhook-worker", "attempt", "INTERNAL", "process webhook-critical"),
    ("webhook-worker", "POST", "CLIENT", "attempt"),
    ("webhook-worker", "create occurrence-completed", "PRODUCER", "attempt"),
    ("dispatcher", "send occurrence-completed", "CLIENT", "create occurrence-completed"),
    ("scheduler", "process scheduler-outcomes", "CONSUMER", "create occurrence-completed"),
}
CALL: Tree = {
    ("user-api", "POST /user", "SERVER", None),
    ("user-api", "create user-created", "PRODUCER", "POST /user"),
    ("dispatcher", "send user-created", "CLIENT", "create user-created"),
    ("scheduler", "process scheduler-user-events", "CONSUMER", "create user-created"),
}
RESOURCES = {
    API: ["carillon-user-api"],
    SCHEDULER: ["carillon-scheduler"],
    DISPATCHER: ["carillon-dispatcher"],
    WORKER: ["carillon-webhook-worker"],
    CONSUMERS: ["carillon-scheduler", "carillon-webhook-worker"],
    EVERY: ["carillon-user-api", "carillon-scheduler", "carillon-dispatcher", "carillon-webhook-worker"],
}


class Rung(Struct, frozen=True):
    """A birthday that rang while all else was quiet, the webhook that came, and its trace."""

    user_id: str
    received: Received
    trace_id: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rung(carillon: Carillon, partner: Receiver) -> Rung:
    """Ring one birthday for the tests that only look at what is told of it."""
    return await ring(carillon, partner)


async def ring(carillon: Carillon, partner: Receiver) -> Rung:
    await eventually(lambda: is_quiet(carillon), within=20, message="it never was quiet")
    user_id = await carillon.create_user_due_at(soon(2))
    await eventually(lambda: posts_for(partner, {user_id}), within=15, message="no webhook came")
    await eventually(lambda: carillon.finished({user_id}), within=15, message="no outcome was recorded")
    [received] = posts_for(partner, {user_id})
    return Rung(user_id, received, trace_of(received))


def trace_of(received: Received) -> str:
    return received.headers["traceparent"].split("-")[1]


async def is_quiet(carillon: Carillon) -> bool:
    [(waiting,)] = await carillon.fetch(
        "SELECT (SELECT count(*) FROM outbox.messages)"
        " + (SELECT count(*) FROM schedule.occurrences WHERE status = 'PROCESSING')"
    )
    return bool(waiting == 0)


def of_trace(traces: OtlpSink, trace_id: str) -> list[Span]:
    """Return the spans of a trace but the audit's, which may hear an event alone or among others."""
    spans = [span for span in traces.spans if span.trace_id == trace_id]
    audit = {span.span_id for span in spans if span.name == "process scheduler-audit"}
    return [span for span in spans if audit.isdisjoint({span.span_id, span.parent_id})]


def is_statement(span: Span) -> bool:
    return "db.system.name" in span.attributes


def tree(spans: list[Span]) -> Tree:
    """Return each span but statements as service, name, kind and the name of its parent."""
    by_id = {span.span_id: span for span in spans}
    return {
        (
            span.resource["service.name"].removeprefix("carillon-"),
            span.name,
            span.kind.removeprefix("SPAN_KIND_"),
            by_id[span.parent_id].name if span.parent_id in by_id else None,
        )
        for span in spans
        if not is_statement(span)
    }


def named(spans: list[Span], name: str, service: str | None = None) -> Span:
    [found] = [
        span
        for span in spans
        if span.name == name and service in {None, span.resource["service.name"].removeprefix("carillon-")}
    ]
    return found


async def whole_trace(traces: OtlpSink, trace_id: str, expected: Tree = DUE) -> list[Span]:
    """Return a trace once all of it that is expected has come, each span with the one above it."""

    def is_whole() -> bool:
        spans = of_trace(traces, trace_id)
        above = {span.parent_id for span in spans}
        return tree(spans) >= expected and above <= {span.span_id for span in spans} | {""}

    await eventually(is_whole, within=15, message=f"not all of the trace {trace_id} came")
    return of_trace(traces, trace_id)


async def test_one_trace_leads_from_the_moment_it_is_due_to_its_outcome(
    carillon: Carillon, rung: Rung, traces: OtlpSink
) -> None:
    received, trace_id = rung.received, rung.trace_id
    spans = await whole_trace(traces, trace_id)

    assert tree(spans) == DUE
    by_id = {span.span_id: span for span in spans}
    assert {by_id[span.parent_id].name for span in spans if is_statement(span)} == {
        "process webhook-critical",
        "attempt",
        "process scheduler-outcomes",
    }
    [copied] = [span for span in spans if is_statement(span) and span.name == "COPY"]
    assert copied.attributes["db.query.text"] == "COPY delivery.attempts"
    assert {span.status for span in spans} == {"STATUS_CODE_UNSET"}

    due, post = named(spans, "create birthday-due"), named(spans, "POST")
    # Sampled (1), and of a trace whose id is random (2).
    assert received.headers["traceparent"] == f"00-{trace_id}-{post.span_id}-03"
    assert due.attributes == {
        "messaging.system": "aws.sns",
        "messaging.operation.name": "create",
        "messaging.operation.type": "create",
        "messaging.destination.name": "carillon-local-birthday-due",
        "messaging.message.id": received.webhook_id,
        "carillon.event.type": "BirthdayDue",
        "carillon.subject": rung.user_id,
    }
    send = named(spans, "send birthday-due")
    relay = next(span for span in traces.spans if (span.trace_id, span.span_id) == send.links[1])
    assert (relay.name, relay.parent_id) == ("relay outbox", "")
    assert send.links[0] == (trace_id, due.span_id)
    assert [span for span in traces.spans if is_statement(span) and span.parent_id == relay.span_id]
    assert (
        send.attributes["messaging.operation.type"],
        send.attributes["messaging.batch.message_count"],
    ) == (
        "send",
        1,
    )
    process = named(spans, "process webhook-critical")
    assert process.attributes == {
        "messaging.system": "aws_sqs",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "carillon-local-webhook-critical",
        "messaging.message.id": received.webhook_id,
    }
    attempt = named(spans, "attempt")
    assert attempt.attributes["carillon.event.id"] == received.webhook_id
    assert (attempt.attributes["carillon.attempt"], attempt.attributes["carillon.decision"]) == (
        1,
        "Delivered",
    )
    url = httpx.URL(carillon.system.webhook_url)
    assert post.attributes == {
        "http.request.method": "POST",
        "server.address": url.host,
        "server.port": url.port,
        "url.scheme": "http",
        "http.response.status_code": 204,
    }
    [row] = await carillon.fetch(
        "SELECT trace_id FROM delivery.attempts WHERE event_id = $1", received.webhook_id
    )
    assert row["trace_id"] == trace_id


async def test_the_trace_is_linked_to_the_call_that_made_the_user_and_to_the_claim(
    rung: Rung, traces: OtlpSink
) -> None:
    due = named(await whole_trace(traces, rung.trace_id), "create birthday-due")
    claim = next(span for span in traces.spans if span.name == "emit due" and span.span_id == due.links[1][1])
    made_in, made_by = due.links[0]
    call = await whole_trace(traces, made_in, CALL)

    assert made_in not in {rung.trace_id, claim.trace_id}
    assert tree(call) >= CALL
    assert named(call, "create user-created").span_id == made_by
    statements = [span for span in traces.spans if span.parent_id == claim.span_id]
    assert any("schedule.occurrences" in span.attributes["db.query.text"] for span in statements)


async def test_every_log_line_of_an_attempt_names_its_trace(
    carillon: Carillon, rung: Rung, traces: OtlpSink
) -> None:
    trace_id = rung.trace_id
    spans = await whole_trace(traces, trace_id)

    webhook_id = rung.received.webhook_id
    lines = [json.loads(line) for line in log_of(carillon, "webhook-worker") if webhook_id in line]
    [attempted] = [line for line in lines if line["event"] == "delivery.attempted"]
    assert attempted["traceId"] == trace_id
    assert 0 <= attempted["delivered_after_seconds"] < 60
    recorded = [json.loads(line) for line in log_of(carillon, "scheduler") if trace_id in line]
    assert [(line["event"], line["spanId"]) for line in recorded] == [
        ("outcomes.recorded", named(spans, LAST).span_id)
    ]


def log_of(carillon: Carillon, service: str) -> list[str]:
    return [
        line
        for file in carillon.system.logs.glob(f"{service}*")
        for line in file.read_text().splitlines()
        if line.startswith("{")
    ]


async def test_every_metric_is_sent_and_shown_by_the_services_that_record_it(
    carillon: Carillon, rung: Rung, traces: OtlpSink
) -> None:
    assert rung.received.valid
    expected = {
        metric.name.removesuffix("_total"): RESOURCES[metric.service]
        for metric in METRICS
        if metric.name != LOOP_FAILURES.name  # nothing failed
    }

    def missing() -> dict[str, list[str]]:
        return {
            name: absent
            for name, services in expected.items()
            if (absent := sorted(set(services) - traces.metrics.get(name, set())))
        }

    await eventually(lambda: not missing(), within=20, message=f"not sent: {missing()}")
    shown = (await carillon.api.get("/metrics")).text
    assert 'http_request_method="POST",http_response_status_code="201",http_route="/user"' in shown


async def test_nothing_that_is_told_of_a_user_holds_their_name_address_or_words(
    carillon: Carillon, partner: Receiver, traces: OtlpSink
) -> None:
    due_at = soon(2)
    body = {
        "firstName": "Quetzalcoatl",
        "lastName": "Featherstonehaugh",
        "email": "quetzalcoatl@featherstonehaugh.example",
        "dateOfBirth": due_at.date().replace(year=1992).isoformat(),
        "timezone": "UTC",
        "sendAtLocal": due_at.strftime("%H:%M:%S"),
    }
    user = await carillon.create_user(**body)
    assert (await carillon.api.post("/user", json=body)).status_code == 409
    assert (await carillon.api.post("/user", json={**body, "timezone": "Quetzalcoatl"})).status_code == 400
    assert (await carillon.api.get(f"/user/{body['email']}")).status_code == 400
    assert (await carillon.api.get("/user", params={"email": body["email"]})).status_code == 200
    # One after the other: told together, their outcomes are heard within one span, which has one parent.
    await eventually(lambda: is_over(carillon, user["id"], 1), within=20, message="the birthday was not over")
    occasion = {
        "type": "NOTIFICATION",
        "message": "Featherstonehaugh's results are here",
        "at": (datetime.now(UTC) + timedelta(seconds=1)).isoformat().replace("+00:00", "Z"),
    }
    made = await carillon.api.post(f"/user/{user['id']}/occasion", json=occasion)
    assert made.status_code == 201, made.text
    await eventually(lambda: is_over(carillon, user["id"], 2), within=20, message="not both were over")
    posts = posts_for(partner, {user["id"]})
    assert len(posts) == 2
    for post in posts:
        last: Tree = {("scheduler", LAST, "CONSUMER", "create occurrence-completed")}
        await whole_trace(traces, trace_of(post), last)

    for word in (b"quetzalcoatl", b"featherstonehaugh"):
        assert [body for body in traces.bodies if word in body.lower()] == []
        assert [path.name for path in files(carillon.system.logs) if word in path.read_bytes().lower()] == []


async def is_over(carillon: Carillon, user_id: Any, count: int) -> bool:  # noqa: ANN401 (as the API answers)
    return await carillon.finished({user_id}) == {"COMPLETED": count}


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_collector_that_dies_costs_its_traces_and_nothing_else(
    carillon: Carillon, partner: Receiver, traces: OtlpSink
) -> None:
    await traces.stop()
    try:
        unseen = await ring(carillon, partner)
    finally:
        await traces.start()
    seen = await ring(carillon, partner)

    assert len(posts_for(partner, {unseen.user_id})) == 1
    assert await carillon.finished({unseen.user_id}) == {"COMPLETED": 1}
    assert tree(await whole_trace(traces, seen.trace_id)) == DUE
    for service in SERVICES:
        assert not [line for line in log_of(carillon, service) if '"loop.failed"' in line]


async def test_the_audit_has_all_that_happened_to_a_user_in_its_trace(
    carillon: Carillon, rung: Rung, traces: OtlpSink
) -> None:
    due = named(await whole_trace(traces, rung.trace_id), "create birthday-due")
    made_in, _ = due.links[0]

    async def told() -> dict[str, tuple[str, str | None]]:
        rows = await carillon.fetch("SELECT * FROM audit.api_entries WHERE user_id = $1", rung.user_id)
        return {row["what"]: (row["who"], row["trace_id"]) for row in rows}

    expected = {
        "UserCreated": ("user-api", made_in),
        "BirthdayDue": ("scheduler", rung.trace_id),
        "DeliveryDelivered": ("webhook-worker", rung.trace_id),
        "OccurrenceCompleted": ("webhook-worker", rung.trace_id),
    }

    async def is_told() -> bool:
        return (await told()).items() >= expected.items()

    await eventually(is_told, within=15, message="the audit lacks something")
