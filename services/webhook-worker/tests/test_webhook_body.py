from pathlib import Path
from uuid import uuid4

import jsonschema_rs
import msgspec
import pytest
from domain.events import DueEvent
from domain.kinds import KINDS
from testkit import build
from testkit.repository import find_topology
from webhook_worker.webhook_body import WebhookBody, webhook_body


@pytest.fixture
def contracts(pytestconfig: pytest.Config) -> Path:
    return find_topology(pytestconfig.rootpath).parent


@pytest.mark.parametrize("due", [kind.due_event for kind in KINDS.values()])
def test_the_body_of_every_kind_of_due_event_is_its_contracts_example(
    contracts: Path, due: type[DueEvent]
) -> None:
    body_type = due.event_type.removesuffix("Due").lower()
    webhook = contracts / "webhooks" / f"{body_type}-due"
    schema = msgspec.json.decode(webhook.with_suffix(".schema.json").read_bytes())
    example = msgspec.json.decode(webhook.with_suffix(".example.json").read_bytes(), type=WebhookBody)
    event = msgspec.json.decode(
        (contracts / "events" / due.event_type / "v1.example.json").read_bytes(), type=due
    )

    body = webhook_body(example.event_id, event)

    assert msgspec.json.decode(body, type=WebhookBody) == example
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(msgspec.json.decode(body))


def test_a_place_in_a_send_window_is_told(contracts: Path) -> None:
    schema = msgspec.json.decode((contracts / "webhooks" / "birthday-due.schema.json").read_bytes())
    spread = build.birthday_due(jitter_seconds=1_026)

    body = msgspec.json.decode(webhook_body(uuid4(), spread))

    assert body["jitterSeconds"] == 1_026
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(body)
