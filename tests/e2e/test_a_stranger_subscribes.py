"""A new consumer: one line in the topology, an SQS client, and no change to what is running."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from localstack_client.session import Session
from testkit.engine import REGION
from testkit.repository import find_topology

from tests.running_system import Carillon, soon

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINE = "outsider: {subscriptions: [{topics: [birthday-due]}]}"


async def apply(carillon: Carillon, topology_file: Path) -> None:
    """Run `python -m messaging.apply_topology` as an operator would."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "messaging.apply_topology",
        env={
            **carillon.system.engine.environment(),
            "CARILLON_ENV": "local",
            "TOPOLOGY_FILE": str(topology_file),
        },
    )
    assert await process.wait() == 0


def add_a_line(topology_file: Path, folder: Path) -> Path:
    """Write a copy of the running system's topology with one more entry under `queues`."""
    document = yaml.safe_load(topology_file.read_text())
    document["queues"].update(yaml.safe_load(LINE))
    copy = folder / topology_file.name
    copy.write_text(yaml.safe_dump(document))
    schema = topology_file.with_name("topology.schema.json")
    copy.with_name(schema.name).write_bytes(schema.read_bytes())
    return copy


async def test_a_queue_added_to_a_running_system_receives_cloudevents(
    carillon: Carillon, tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)  # another test's engine, and it would win
    await apply(carillon, add_a_line(carillon.system.options.topology_file, tmp_path))
    sqs = Session(
        localstack_host=carillon.system.engine.url.removeprefix("http://"), region_name=REGION
    ).client("sqs")
    try:
        user_id = await carillon.create_user_due_at(soon(2))
        url = sqs.get_queue_url(QueueName="carillon-local-outsider")["QueueUrl"]
        answer: dict[str, Any] = await asyncio.to_thread(
            sqs.receive_message, QueueUrl=url, WaitTimeSeconds=15, MessageAttributeNames=["All"]
        )
    finally:
        sqs.close()

    [message] = answer["Messages"]
    event = json.loads(message["Body"])
    contracts = find_topology(pytestconfig.rootpath).parent
    envelope = json.loads((contracts / "envelope.schema.json").read_text())
    schema = json.loads((contracts / "events/BirthdayDue/v1.schema.json").read_text())
    assert (event["specversion"], event["type"], event["subject"]) == (
        "1.0",
        "carillon.BirthdayDue.v1",
        user_id,
    )
    assert message["MessageAttributes"]["priority"]["StringValue"] == "critical"
    assert event["dataschema"] == schema["$id"]
    jsonschema_rs.validator_for(envelope, validate_formats=True).validate(event)
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(event["data"])
