"""`python -m infra.costs.monthly_cost`: write docs/costs.md: what each size costs a month."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import msgspec
from msgspec import Struct

HOURS = 730  # a month, as AWS counts it
MONTHS = 12
FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "costs.md"


TEXT = """\
# Costs

US dollars a month, written by `make costs` from [what each size runs](../infra/costs/sizes.yaml) and AWS's
list prices in {region}, on demand, as written down on {date} in [prices.yaml](../infra/costs/prices.yaml): no
free tier, no savings plan, no data out of AWS but webhooks.

| | {names} |
| --- | {rules} |
{groups}
| **all** | {total} |

The first design's estimate for 1 M users was $1,414: $1,195 database, $133 compute, $4 queues, $2.25 topics,
$82 other. This one counts NAT gateways, endpoints and the storage of the readers as well.
"""


class Prices(Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars, each for what its name says."""

    date: date
    region: str
    database_hour: Mapping[str, float]
    database_gb_month: float
    fargate_vcpu_hour: float
    fargate_gb_hour: float
    sqs_million_requests: float
    sns_million_requests: float
    api_million_requests: float
    load_balancer_hour: float
    nat_gateway_hour: float
    nat_gb: float
    endpoint_hour: float
    log_gb: float
    alarm_month: float
    metric_month: float
    dashboard_month: float
    secret_month: float
    key_month: float


class Assumptions(Struct, frozen=True, forbid_unknown_fields=True):
    """How much an event and a user make of everything."""

    events_per_user_and_year: float
    publishes_per_event: float
    queue_requests_per_event: float
    polls_per_task_and_hour: float
    api_requests_per_user_and_year: float
    log_kb_per_event: float
    webhook_kb_per_event: float


class Database(Struct, frozen=True, rename={"instance_class": "class"}, forbid_unknown_fields=True):
    """The primary in so many zones, and its readers, each with the whole storage."""

    instance_class: str
    zones: int
    readers: int
    reader_class: str
    gb: int


class Task(Struct, frozen=True, forbid_unknown_fields=True):
    """One task on Fargate."""

    vcpu: float
    gb: float


class Size(Struct, frozen=True, forbid_unknown_fields=True):
    """What runs for so many users."""

    name: str
    users: int
    database: Database
    tasks: Mapping[str, int]
    task: Task
    zones: int
    endpoints: int
    alarms: int
    metrics: int


class Sizes(Struct, frozen=True, forbid_unknown_fields=True):
    """The file of that name."""

    assumptions: Assumptions
    sizes: list[Size]


def monthly_cost(size: Size, prices: Prices, usage: Assumptions) -> dict[str, float]:
    """Return what a size costs a month, in US dollars, by group."""
    events = size.users * usage.events_per_user_and_year / MONTHS
    tasks = sum(size.tasks.values())
    database = size.database
    copies = database.zones + database.readers
    polls = size.tasks["webhook-worker"] + size.tasks["scheduler"]
    queue_requests = events * usage.queue_requests_per_event + polls * usage.polls_per_task_and_hour * HOURS
    api_requests = size.users * usage.api_requests_per_user_and_year / MONTHS
    return {
        "database": HOURS * database.zones * prices.database_hour[database.instance_class]
        + HOURS * database.readers * prices.database_hour[database.reader_class]
        + copies * database.gb * prices.database_gb_month,
        "compute": HOURS
        * tasks
        * (size.task.vcpu * prices.fargate_vcpu_hour + size.task.gb * prices.fargate_gb_hour),
        "queues": queue_requests / 1e6 * prices.sqs_million_requests,
        "topics": events * usage.publishes_per_event / 1e6 * prices.sns_million_requests,
        "network": HOURS * size.zones * prices.nat_gateway_hour
        + events * usage.webhook_kb_per_event / 1e6 * prices.nat_gb
        + HOURS * size.endpoints * size.zones * prices.endpoint_hour
        + HOURS * prices.load_balancer_hour
        + api_requests / 1e6 * prices.api_million_requests,
        "observability": events * usage.log_kb_per_event / 1e6 * prices.log_gb
        + size.alarms * prices.alarm_month
        + size.metrics * prices.metric_month
        + 3 * prices.dashboard_month,
        "secrets and keys": (len(size.tasks) + 4) * prices.secret_month + 5 * prices.key_month,
    }


def read() -> tuple[Prices, Sizes]:
    """Read the two files beside this one. msgspec.ValidationError names what is wrong in them."""
    prices = msgspec.yaml.decode((FOLDER / "prices.yaml").read_bytes(), type=Prices, strict=False)
    return prices, msgspec.yaml.decode((FOLDER / "sizes.yaml").read_bytes(), type=Sizes, strict=False)


def page(prices: Prices, sizes: Sizes) -> str:
    """Return docs/costs.md."""
    costs = [monthly_cost(size, prices, sizes.assumptions) for size in sizes.sizes]
    groups = [f"| {group} | {' | '.join(f'{cost[group]:,.0f}' for cost in costs)} |" for group in costs[0]]
    return TEXT.format(
        region=prices.region,
        date=prices.date,
        names=" | ".join(size.name for size in sizes.sizes),
        rules=" | ".join("---:" for _ in costs),
        groups="\n".join(groups),
        total=" | ".join(f"**{sum(cost.values()):,.0f}**" for cost in costs),
    )


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(*read()), encoding="utf-8")


if __name__ == "__main__":
    main()
