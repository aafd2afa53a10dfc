"""What the dashboards show: rows of panels, each a question with the queries that answer it.

Several processes of a service tell the same of what they share, so gauges of the system are `max`; what each
does is `sum`. `$__rate_interval` is Grafana's.
"""

from msgspec import Struct

RATE = "[$__rate_interval]"


class Query(Struct, frozen=True):
    """A PromQL query, and how its series are called in the legend."""

    expr: str
    legend: str = ""


class Panel(Struct, frozen=True, kw_only=True):
    """A panel; `unit` is Grafana's name for one. `exemplars` are dots that lead to their traces."""

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: str = "timeseries"
    exemplars: bool = False


class Dashboard(Struct, frozen=True):
    """A dashboard; its uid is its file's name."""

    uid: str
    title: str
    panels: tuple[Panel, ...]


def quantiles(histogram: str, by: str = "", *wanted: float) -> tuple[Query, ...]:
    """Return queries for some quantiles of a histogram, for each value of the label `by` if there is one."""
    labels = f"{by}, le" if by else "le"
    named = f" {{{{{by}}}}}" if by else ""
    return tuple(
        Query(
            f"histogram_quantile({quantile}, sum by ({labels}) (rate({histogram}_bucket{RATE})))",
            f"p{quantile * 100:g}{named}",
        )
        for quantile in wanted or (0.5, 0.99)
    )


def rate(counter: str, by: str) -> tuple[Query, ...]:
    """Return the query for how many a second, for each value of the label `by`."""
    return (Query(f"sum by ({by}) (rate({counter}{RATE}))", f"{{{{{by}}}}}"),)


def most(gauge: str, by: str) -> tuple[Query, ...]:
    """Return the query for what any process tells, for each value of the labels `by`."""
    legend = " ".join(f"{{{{{label.strip()}}}}}" for label in by.split(","))
    return (Query(f"max by ({by}) ({gauge})", legend),)


OPERATIONS = Dashboard(
    "operations",
    "Carillon: is it late, and why",
    (
        Panel(title="Late now", kind="stat", unit="s", queries=(Query("max(carillon_overdue_seconds)"),)),
        Panel(
            title="Oldest in the outbox",
            kind="stat",
            unit="s",
            queries=(Query("max(carillon_outbox_oldest_age_seconds)"),),
        ),
        Panel(title="Deliveries open", kind="stat", queries=(Query("max(carillon_deliveries_open)"),)),
        Panel(
            title="Dead letters open",
            kind="stat",
            queries=(Query("sum(max by (queue) (carillon_dead_letters_open))"),),
        ),
        Panel(title="Due → emitted", unit="s", queries=quantiles("carillon_due_lag_seconds"), exemplars=True),
        Panel(title="Occurrences, a second", queries=rate("carillon_occurrences_total", "became")),
        Panel(title="Occurrences that wait", queries=most("carillon_occurrences_open", "state")),
        Panel(title="A claim", unit="s", queries=quantiles("carillon_claim_duration_seconds")),
        Panel(title="Outbox", queries=most("carillon_outbox_messages", "priority")),
        Panel(title="Published, a second", queries=rate("carillon_published_total", "result")),
        Panel(title="Refused by SNS", queries=(Query("max(carillon_outbox_rejected)", "rejected"),)),
        Panel(title="Queues", queries=most("carillon_queue_messages", "queue, state")),
        Panel(
            title="Age of what is received",
            unit="s",
            queries=quantiles("carillon_queue_wait_seconds", "queue", 0.99),
        ),
        Panel(title="Attempts under way", queries=(Query("sum(carillon_attempts_under_way)", "under way"),)),
        Panel(title="Breakers", queries=(Query("sum by (state) (carillon_breakers)", "{{state}}"),)),
        Panel(title="Dead letters by queue", queries=most("carillon_dead_letters_open", "queue")),
        Panel(title="Loops that failed, a second", queries=rate("carillon_loop_failures_total", "loop")),
        Panel(
            title="Connections to PostgreSQL",
            queries=(
                Query("sum by (job, state) (db_client_connection_count)", "{{job}} {{state}}"),
                Query("sum by (job) (db_client_connection_max)", "{{job}} at most"),
            ),
        ),
    ),
)

BUSINESS = Dashboard(
    "business",
    "Carillon: what was delivered",
    (
        Panel(
            title="Delivered in an hour",
            queries=(
                Query(
                    'sum by (event_type) (increase(carillon_deliveries_total{status="delivered"}[1h]))',
                    "{{event_type}}",
                ),
            ),
        ),
        Panel(
            title="Success",
            unit="percentunit",
            queries=(
                Query(
                    'sum by (event_type) (rate(carillon_deliveries_total{status="delivered"}[1h]))'
                    " / sum by (event_type) (rate(carillon_deliveries_total[1h]))",
                    "{{event_type}}",
                ),
            ),
        ),
        Panel(
            title="Failed in an hour",
            queries=(
                Query(
                    'sum by (event_type) (increase(carillon_deliveries_total{status="failed"}[1h]))',
                    "{{event_type}}",
                ),
            ),
        ),
        Panel(
            title="Due → delivered",
            unit="s",
            queries=quantiles("carillon_delivery_latency_seconds", "event_type", 0.5, 0.95, 0.99),
            exemplars=True,
        ),
        Panel(
            title="Attempts by what came of them, a second",
            queries=rate("carillon_attempt_duration_seconds_count", "decision"),
        ),
        Panel(
            title="p95 of an attempt by endpoint",
            unit="s",
            queries=quantiles("carillon_endpoint_attempt_duration_seconds", "endpoint", 0.95),
        ),
    ),
)

SERVICES = Dashboard(
    "services",
    "Carillon: rate, errors, duration",
    (
        Panel(
            title="API: requests a second",
            queries=rate("http_server_request_duration_seconds_count", "http_route"),
        ),
        Panel(
            title="API: errors",
            unit="percentunit",
            queries=(
                Query(
                    f'sum(rate(http_server_request_duration_seconds_count{{http_response_status_code=~"5.."}}{RATE}))'
                    f" / sum(rate(http_server_request_duration_seconds_count{RATE}))",
                    "5xx",
                ),
            ),
        ),
        Panel(
            title="API: p99 by route",
            unit="s",
            queries=quantiles("http_server_request_duration_seconds", "http_route", 0.99),
            exemplars=True,
        ),
        Panel(title="Consumers: messages a second", queries=rate("carillon_messages_total", "queue, result")),
        Panel(
            title="Consumers: errors",
            unit="percentunit",
            queries=(
                Query(
                    f'sum by (queue) (rate(carillon_messages_total{{result!="handled"}}{RATE}))'
                    f" / sum by (queue) (rate(carillon_messages_total{RATE}))",
                    "{{queue}}",
                ),
            ),
        ),
        Panel(
            title="Consumers: p99 of a batch",
            unit="s",
            queries=quantiles("carillon_handling_duration_seconds", "queue", 0.99),
        ),
        Panel(
            title="Dispatcher: a PublishBatch",
            unit="s",
            queries=quantiles("carillon_publish_duration_seconds"),
        ),
        Panel(title="Scheduler: a claim", unit="s", queries=quantiles("carillon_claim_duration_seconds")),
        Panel(
            title="Worker: an attempt",
            unit="s",
            queries=quantiles("carillon_attempt_duration_seconds", "decision", 0.99),
            exemplars=True,
        ),
    ),
)

DASHBOARDS = (OPERATIONS, BUSINESS, SERVICES)
