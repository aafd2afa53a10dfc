from collections.abc import Iterator
from pathlib import Path

import pytest
from runtime.aws import open_sqs
from testkit.child_process import StartFailedError
from testkit.engine import REGION, Engine


@pytest.fixture
def own_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    engine = Engine(tmp_path)
    for name, value in engine.environment().items():
        monkeypatch.setenv(name, value)
    try:
        yield engine
    finally:
        engine.stop()


async def test_a_sent_message_survives_kill_9_and_a_start_on_the_same_port(own_engine: Engine) -> None:
    own_engine.start()
    async with open_sqs(REGION, connections=2) as sqs:
        url = (await sqs.create_queue(QueueName="kept"))["QueueUrl"]
        await sqs.send_message(QueueUrl=url, MessageBody="still here")

        own_engine.kill()
        own_engine.start()

        received = await sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)
    assert [message["Body"] for message in received["Messages"]] == ["still here"]


def test_another_engine_can_stand_in(own_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "ENGINE_COMMAND", "python3 -m http.server --bind 127.0.0.1 --directory {data_dir} {port}"
    )
    monkeypatch.setenv("ENGINE_HEALTH_PATH", "/")

    own_engine.start()

    assert own_engine.ready()


def test_an_engine_that_does_not_start_says_why(own_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_COMMAND", "no-such-engine --port {port}")

    with pytest.raises(StartFailedError, match="no-such-engine: No such file or directory"):
        own_engine.start()
