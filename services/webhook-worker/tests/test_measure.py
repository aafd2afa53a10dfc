from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from domain.retry import Delivered, RetryAt
from runtime.metrics import REGISTRY
from testkit import build
from webhook_worker.delivery import Attempt, Delivery
from webhook_worker.measure import measure_attempt, told_by
from webhook_worker.top_labels import BUSY, FIRST, OTHER, TopLabels
from webhook_worker.webhook_body import webhook_body

DUE = build.birthday_due()
LATE = DUE.due_at + timedelta(seconds=7)


def attempt(outcome: object, body: str) -> Attempt:
    delivery = Delivery(
        id=uuid4(),
        created_at=DUE.due_at,
        event_id=uuid4(),
        endpoint_id=uuid4(),
        endpoint_version=1,
        attempt=1,
        lease_token=uuid4(),
        body=body,
    )
    return Attempt(delivery=delivery, at=DUE.due_at, outcome=outcome, latency_ms=250)  # type: ignore[arg-type]


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_an_attempt_is_timed_by_its_event_type_and_what_became_of_it() -> None:
    body = webhook_body(uuid4(), DUE)
    sums = (
        (
            "carillon_attempt_duration_seconds_sum",
            {"event_type": "BirthdayDue", "decision": "delivered"},
            0.25,
        ),
        ("carillon_delivery_latency_seconds_sum", {"event_type": "BirthdayDue"}, 7.0),
        ("carillon_deliveries_total", {"event_type": "BirthdayDue", "status": "delivered"}, 1.0),
        ("carillon_attempt_duration_seconds_count", {"event_type": "BirthdayDue", "decision": "retry"}, 1.0),
    )
    before = [value(name, **labels) for name, labels, _ in sums]

    measure_attempt(attempt(None, body), Delivered(), told_by(body), LATE)
    measure_attempt(attempt(None, body), RetryAt(LATE, "503"), told_by(body), LATE)

    after = [value(name, **labels) for name, labels, _ in sums]
    assert [b - a for a, b in zip(before, after, strict=True)] == pytest.approx([more for _, _, more in sums])


def test_how_long_ago_it_was_due_is_known_of_an_occurrence_and_of_nothing_else() -> None:
    told = told_by(webhook_body(uuid4(), DUE))
    assert told.seconds_since_due(LATE) == 7.0
    assert told.seconds_since_due(DUE.due_at - timedelta(hours=1)) == 0.0
    assert told_by('{"type": "endpoint.test"}').seconds_since_due(LATE) is None


def test_a_body_that_nobody_can_read_is_counted_too() -> None:
    before = value("carillon_attempt_duration_seconds_count", event_type=OTHER, decision="delivered")

    measure_attempt(attempt(None, "not JSON"), Delivered(), told_by("not JSON"), LATE)

    assert (
        value("carillon_attempt_duration_seconds_count", event_type=OTHER, decision="delivered") == before + 1
    )


def test_the_busiest_endpoints_have_labels_and_never_more_than_a_hundred() -> None:
    top = TopLabels()
    first = [uuid4() for _ in range(FIRST)]
    assert [top.label(one) for one in first] == [str(one) for one in first]
    busy = UUID(int=1)

    labels = {top.label(busy) for _ in range(10)}
    rare = {top.label(uuid4()) for _ in range(5_000)}
    for _ in range(200):
        many = uuid4()
        labels |= {top.label(many) for _ in range(20)}

    assert str(busy) in labels
    assert rare == {OTHER}
    assert top.label(first[0]) == str(first[0])
    assert len(labels - {OTHER}) == BUSY
