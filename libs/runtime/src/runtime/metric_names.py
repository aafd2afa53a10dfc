"""Every metric by its name, unit and labels: what services record, dashboards show and alerts ask for.

Names are Prometheus's, with the unit at the end; by OTLP they are the same (ADR 0044). No label holds what a
user wrote, or takes more values than somebody can list.
"""

from typing import Literal

from msgspec import Struct

# Seconds. A fast statement, a request, an attempt that times out at 30 s.
QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# Seconds. On time, late, very late: retries take three days.
LONG = (
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
    900.0,
    3600.0,
    21600.0,
    86400.0,
    259200.0,
)


class Metric(Struct, frozen=True, kw_only=True):
    """One metric; `service` records it, `help` says what it tells. Buckets are a histogram's alone."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    service: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


EVERY, API, SCHEDULER, DISPATCHER = "every", "user-api", "scheduler", "dispatcher"
WORKER, CONSUMERS = "webhook-worker", "scheduler, webhook-worker"

HTTP_REQUESTS = Metric(
    name="http_server_request_duration_seconds",
    kind="histogram",
    help="Requests answered, and how long that took.",
    service=API,
    labels=("http_request_method", "http_route", "http_response_status_code"),
    buckets=QUICK,
)
CONNECTIONS = Metric(
    name="db_client_connection_count",
    kind="gauge",
    help="Connections of the pool that are open, idle or used.",
    service=EVERY,
    labels=("state",),
)
CONNECTIONS_MAX = Metric(
    name="db_client_connection_max",
    kind="gauge",
    help="Connections that the pool may open.",
    service=EVERY,
)
LOOP_FAILURES = Metric(
    name="carillon_loop_failures_total",
    kind="counter",
    help="Times that a loop failed and was started again.",
    service=EVERY,
    labels=("loop",),
)
MESSAGES = Metric(
    name="carillon_messages_total",
    kind="counter",
    help="Messages handled, failed (left to the redrive) or dead_lettered (nobody can read them).",
    service=CONSUMERS,
    labels=("queue", "result"),
)
HANDLING = Metric(
    name="carillon_handling_duration_seconds",
    kind="histogram",
    help="How long a batch of messages took to be handled and deleted.",
    service=CONSUMERS,
    labels=("queue",),
    buckets=QUICK,
)
QUEUE_WAIT = Metric(
    name="carillon_queue_wait_seconds",
    kind="histogram",
    help="How long the oldest message of each receive had been in its queue: the queue's age.",
    service=CONSUMERS,
    labels=("queue",),
    buckets=LONG,
)
QUEUE_MESSAGES = Metric(
    name="carillon_queue_messages",
    kind="gauge",
    help="About how many messages a queue holds: visible, in_flight or delayed; its dead-letter queue's too.",
    service=CONSUMERS,
    labels=("queue", "state"),
)
DUE_LAG = Metric(
    name="carillon_due_lag_seconds",
    kind="histogram",
    help="From when an occurrence was due until it was emitted.",
    service=SCHEDULER,
    labels=("event_type",),
    buckets=LONG,
)
CLAIMS = Metric(
    name="carillon_claim_duration_seconds",
    kind="histogram",
    help="How long a claim took that found something, to its commit.",
    service=SCHEDULER,
    buckets=QUICK,
)
OCCURRENCES = Metric(
    name="carillon_occurrences_total",
    kind="counter",
    help="Occurrences, by what became of them: planned, emitted, expired, parked, held_back, emitted_again, "
    "completed or failed.",
    service=SCHEDULER,
    labels=("became",),
)
OVERDUE = Metric(
    name="carillon_overdue_seconds",
    kind="gauge",
    help="How long the oldest occurrence has been due that is not emitted; 0 when none is.",
    service=SCHEDULER,
)
OPEN_OCCURRENCES = Metric(
    name="carillon_occurrences_open",
    kind="gauge",
    help="Occurrences that wait: processing (emitted, unanswered), stuck (past their check), paused, faulty "
    "(parked for a reason of their own); 10000 is that or more.",
    service=SCHEDULER,
    labels=("state",),
)
OUTBOX_MESSAGES = Metric(
    name="carillon_outbox_messages",
    kind="gauge",
    help="Messages in the outbox; 10000 is that or more.",
    service=DISPATCHER,
    labels=("priority",),
)
OUTBOX_AGE = Metric(
    name="carillon_outbox_oldest_age_seconds",
    kind="gauge",
    help="How long ago the oldest message of the outbox was appended; 0 when it is empty.",
    service=DISPATCHER,
)
OUTBOX_REJECTED = Metric(
    name="carillon_outbox_rejected",
    kind="gauge",
    help="Messages that SNS refused for good, kept until somebody looks.",
    service=DISPATCHER,
)
PUBLISHED = Metric(
    name="carillon_published_total",
    kind="counter",
    help="Messages given to SNS: accepted, failed (to be tried again) or refused (for good).",
    service=DISPATCHER,
    labels=("result",),
)
PUBLISHING = Metric(
    name="carillon_publish_duration_seconds",
    kind="histogram",
    help="How long a PublishBatch took.",
    service=DISPATCHER,
    buckets=QUICK,
)
ATTEMPTS = Metric(
    name="carillon_attempt_duration_seconds",
    kind="histogram",
    help="HTTP attempts, until their answer: delivered, to be tried again (retry), put_back (never sent) or "
    "given_up.",
    service=WORKER,
    labels=("event_type", "decision"),
    buckets=QUICK,
)
ENDPOINT_ATTEMPTS = Metric(
    name="carillon_endpoint_attempt_duration_seconds",
    kind="histogram",
    help="The same for each endpoint, the busiest by their ids and the rest as `other`.",
    service=WORKER,
    labels=("endpoint", "decision"),
    buckets=QUICK,
)
LATENCY = Metric(
    name="carillon_delivery_latency_seconds",
    kind="histogram",
    help="From when an occurrence was due until an endpoint had it.",
    service=WORKER,
    labels=("event_type",),
    buckets=LONG,
)
DELIVERIES = Metric(
    name="carillon_deliveries_total",
    kind="counter",
    help="Deliveries settled by an attempt, by how: delivered or failed.",
    service=WORKER,
    labels=("event_type", "status"),
)
UNDER_WAY = Metric(
    name="carillon_attempts_under_way",
    kind="gauge",
    help="Attempts under way.",
    service=WORKER,
)
OPEN_DELIVERIES = Metric(
    name="carillon_deliveries_open",
    kind="gauge",
    help="Deliveries that are not settled; 10000 is that or more.",
    service=WORKER,
)
BREAKERS = Metric(
    name="carillon_breakers",
    kind="gauge",
    help="Endpoints by the state of their breaker, in this worker: open or probing.",
    service=WORKER,
    labels=("state",),
)
DEAD_LETTERS = Metric(
    name="carillon_dead_letters_open",
    kind="gauge",
    help="Dead letters that nobody has redriven or discarded.",
    service=WORKER,
    labels=("queue",),
)

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
