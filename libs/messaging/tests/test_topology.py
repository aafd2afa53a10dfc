import shutil
from pathlib import Path

import pytest
from domain.events import EVENT_TYPES
from messaging.topology import (
    TopologyError,
    dead_letter_name,
    load_topology,
    queue_name,
    topic_arn,
    undelivered_name,
)
from runtime.settings import SettingsError


def test_a_queues_own_entry_wins_over_the_defaults(contracts: Path) -> None:
    topology = load_topology(contracts / "topology.yaml")
    critical, events = topology.queues["webhook-critical"], topology.queues["scheduler-user-events"]

    assert (critical.name, critical.visibility_seconds, critical.max_receives, critical.batch) == (
        "webhook-critical",
        30,
        3,
        5,
    )
    assert (events.visibility_seconds, events.batch, events.concurrency) == (60, 10, 10)
    assert topology.dead_letter_retention_seconds == 1_209_600


def test_every_event_type_of_this_release_has_a_topic(contracts: Path) -> None:
    assert set(EVENT_TYPES) - set(load_topology(contracts / "topology.yaml").event_types) == set()


def test_names_in_aws_are_derived_from_environment_and_name() -> None:
    assert (
        queue_name("staging", "webhook-low"),
        dead_letter_name("staging", "webhook-low"),
        undelivered_name("staging", "webhook-low"),
        topic_arn("eu-west-1", "123456789012", "staging", "birthday-due"),
    ) == (
        "carillon-staging-webhook-low",
        "carillon-staging-webhook-low-dlq",
        "carillon-staging-webhook-low-undelivered-dlq",
        "arn:aws:sns:eu-west-1:123456789012:carillon-staging-birthday-due",
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("version: 1", "version: 2", "version: 1 was expected"),
        ("maxReceives: 2, ", "", 'defaults: "maxReceives" is a required property'),
        ("priority: normal", "priority: urgent", "eventTypes.UserDeleted.priority: "),
        ("topics: [user-deleted, birthday-due]", "topics: [user-moved]", "queues.test: no event type has "),
        ("version: 1", "version: [", "while parsing a flow sequence "),
        ("version: 1", "version: 2026-01-01", "Unsupported type: 'date'"),
        ("  test:", "  1:", "Dict key must be str"),
        ("version: 1", "# \udcff", "'utf-8' codec can't decode byte 0xff in position 3: invalid start byte"),
    ],
)
def test_a_topology_that_is_not_valid_is_one_line_that_says_where_and_why(
    one_queue_file: Path, old: str, new: str, reason: str
) -> None:
    text = one_queue_file.read_text().replace(old, new, 1)
    one_queue_file.write_text(text, encoding="utf-8", errors="surrogateescape")

    with pytest.raises(TopologyError) as refused:
        load_topology(one_queue_file)

    line = str(refused.value)
    assert line.startswith(f"TOPOLOGY_FILE {one_queue_file}: {reason}")
    assert line.isprintable()
    assert isinstance(refused.value, SettingsError)


def test_an_empty_topology_is_refused(one_queue_file: Path) -> None:
    one_queue_file.write_text("")

    with pytest.raises(TopologyError, match='null is not of type "object"'):
        load_topology(one_queue_file)


def test_a_file_that_is_not_there_is_named(contracts: Path, tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match=r"No such file or directory: .*nowhere\.yaml"):
        load_topology(tmp_path / "nowhere.yaml")

    shutil.copy(contracts / "topology.yaml", tmp_path)
    with pytest.raises(TopologyError, match=r"No such file or directory: .*topology\.schema\.json"):
        load_topology(tmp_path / "topology.yaml")
