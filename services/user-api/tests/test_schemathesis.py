"""schemathesis, a judge from outside: every check in every phase, links too, with the tokens asked for."""

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import httpx
import pytest
from runtime.database import Connection
from testkit.fresh_database import FreshDatabase
from testkit.issuer import Issuer

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


# Coverage tries the edges of each schema, some 4,000 requests: the judges have time for it.
@pytest.mark.parametrize(
    ("phases", "examples"),
    [
        ("examples,fuzzing,stateful", 3),
        pytest.param("examples,coverage,fuzzing,stateful", 20, marks=pytest.mark.judge),
    ],
)
@pytest.mark.timeout(900)
async def test_schemathesis_finds_nothing(
    database: FreshDatabase,
    environment: Environment,
    running: Running,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    phases: str,
    examples: int,
) -> None:
    report = tmp_path / "report.json"
    async with AsyncExitStack() as opened:
        issuer = await opened.enter_async_context(Issuer())
        issuer.add_key("only")
        settings = environment(database.url("carillon_user_api"), RATE_LIMIT="off", **issuer.settings)
        api = await opened.enter_async_context(running(settings))
        tester = asyncio.create_task(answer_tests(await database.connect("carillon_webhook_worker")))
        opened.callback(tester.cancel)
        process = await asyncio.create_subprocess_exec(
            str(SCHEMATHESIS),
            *("run", f"{api.base_url}/openapi.json", "--checks", "all", "--no-color", "--phases", phases),
            *("--header", f"Authorization: Bearer {issuer.token('admin')}"),
            *("--generation-deterministic", "--max-examples", str(examples), "--continue-on-failure"),
            *("--report", "json", "--report-json-path", str(report)),
            cwd=pytestconfig.rootpath,  # where schemathesis.toml is
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()

    assert process.returncode == 0, said.decode()
    found = json.loads(report.read_text())
    assert found["failures"] == found["errors"] == [], said.decode()
    assert found["operations"]["tested"] == found["operations"]["total"], said.decode()
    assert {name for name, phase in found["phases"].items() if phase["status"] == "success"} == set(
        phases.split(",")
    )


async def answer_tests(worker: Connection) -> None:
    """Make every test of an endpoint, in the place of a webhook worker."""
    while True:
        await worker.execute(
            """
            UPDATE delivery.endpoint_tests
            SET taken_at = now(), ended_at = now(), status = 204, latency_ms = 1
            WHERE ended_at IS NULL
            """
        )
        await asyncio.sleep(0.1)
