"""What the judges share."""

from collections.abc import Iterator

import pytest
from testkit.engine import Engine

from tests.judges.commands import INSTALLED


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Start moto, for what the SNS/SQS engine has not; the environment leads AWS clients to it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ENGINE_COMMAND", f"{INSTALLED / 'moto_server'} --host 127.0.0.1 --port {{port}}")
        environment.setenv("ENGINE_HEALTH_PATH", "/moto-api/data.json")
        engine = Engine(tmp_path_factory.mktemp("moto"))
        for name, value in engine.environment().items():
            environment.setenv(name, value)
        engine.start()
        try:
            yield engine
        finally:
            engine.stop()
