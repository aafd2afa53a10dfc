"""Write what the services look for, by their own code, for `terraform test` to compare with."""

import re
import sys
from importlib import import_module
from pathlib import Path

import msgspec
from messaging.topology import (
    Topology,
    dead_letter_name,
    load_topology,
    queue_name,
    topic_name,
    undelivered_name,
)
from runtime import metric_names

SERVICES = ("user-api", "scheduler", "dispatcher", "webhook-worker")
ROOT = Path(__file__).parents[2]
LOGGED = re.compile(r'log\.\w+\(\s*"([a-z_.]+)"')


def expected_names(topology: Topology, environment: str) -> dict[str, object]:
    """Return topics' names, queues' retention and visibility by name, and filters by queue and topic."""
    queues = topology.queues.values()
    return {
        "topics": sorted(topic_name(environment, each.topic) for each in topology.event_types.values()),
        "retention": {queue_name(environment, queue.name): queue.retention_seconds for queue in queues}
        | {
            name(environment, queue.name): topology.dead_letter_retention_seconds
            for queue in queues
            for name in (dead_letter_name, undelivered_name)
        },
        "visibility": {queue_name(environment, queue.name): queue.visibility_seconds for queue in queues},
        "filters": {
            f"{queue.name}/{topic}": subscription.filter_policy or {}
            for queue in queues
            for subscription in queue.subscriptions
            for topic in subscription.topics
        },
    }


def expected_settings() -> dict[str, dict[str, list[str]]]:
    """Return the variables that each service reads, and those of them that it requires."""
    fields = {
        service: msgspec.structs.fields(import_module(f"{service.replace('-', '_')}.settings").Settings)
        for service in SERVICES
    }
    return {
        "known": {name: [field.name.upper() for field in of] for name, of in fields.items()},
        "required": {
            name: [field.name.upper() for field in of if field.required] for name, of in fields.items()
        },
    }


def expected_signals() -> dict[str, list[str]]:
    """Return the metrics and the log lines that there are, which alarms count."""
    sources = [path for folder in ("libs", "services") for path in (ROOT / folder).glob("*/src/**/*.py")]
    return {
        "metrics": [metric.name for metric in metric_names.ALL],
        "events": sorted({event for path in sources for event in LOGGED.findall(path.read_text())}),
    }


def main() -> None:
    """Write `tests/expected.json` of the modules that compare."""
    modules = Path(__file__).with_name("modules")
    topology = load_topology(Path(sys.argv[1]))
    for module, expected in (
        ("messaging", expected_names(topology, "staging")),
        ("observability", expected_signals()),
        ("system", expected_settings()),
    ):
        (modules / module / "tests" / "expected.json").write_bytes(msgspec.json.encode(expected))


if __name__ == "__main__":
    main()
