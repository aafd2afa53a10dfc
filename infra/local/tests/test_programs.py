from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from carillon_local.options import read_options
from carillon_local.programs import MODULES, Wiring, service_program
from runtime.public_address import read_networks
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.engine import Engine
from testkit.ports import free_port


async def environment_of(
    name: str, tmp_path: Path, given: dict[str, str], *, console_port: int | None = None
) -> Mapping[str, str]:
    async with httpx.AsyncClient(trust_env=False) as http:
        wiring = Wiring(
            options=read_options({**given, "LOCAL_DIR": str(tmp_path)}, console_port=console_port),
            postgres=EmbeddedPostgres(tmp_path / "postgres"),
            engine=Engine(tmp_path / "engine"),
            http=http,
            webhook_url="",
            webhook_secret="",
            encryption_keys="",
            auth={},
            clock_offset_seconds=0,
            log_format="json",
            ports=dict.fromkeys(MODULES, 1),
            environments={},
        )
        return service_program(name, wiring).environment


async def test_webhooks_may_go_to_this_machine_and_to_the_networks_that_are_named(tmp_path: Path) -> None:
    networks = "WEBHOOK_ALLOW_NETWORKS"
    alone = (await environment_of("webhook-worker", tmp_path, {}))[networks]
    given = {networks: "10.0.0.0/8,fd00::/8"}
    named = (await environment_of("webhook-worker", tmp_path, given))[networks]

    assert read_networks(alone) == read_networks("127.0.0.0/8")
    assert read_networks(named) == read_networks("127.0.0.0/8,10.0.0.0/8,fd00::/8")


@pytest.mark.parametrize("elsewhere", ["http://127.0.0.1:4318", ""])
async def test_spans_go_to_the_console_where_there_is_one_and_nothing_else_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: str
) -> None:
    endpoint, port = "OTEL_EXPORTER_OTLP_ENDPOINT", free_port()
    monkeypatch.delenv(endpoint, raising=False)
    without = await environment_of("scheduler", tmp_path, {})
    with_one = await environment_of("scheduler", tmp_path, {}, console_port=port)
    monkeypatch.setenv(endpoint, elsewhere)
    told = await environment_of("scheduler", tmp_path, {}, console_port=port)

    assert endpoint not in without
    assert with_one[endpoint] == f"http://127.0.0.1:{port}"
    assert told[endpoint] == elsewhere
