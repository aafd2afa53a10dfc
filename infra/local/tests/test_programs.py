from pathlib import Path

import httpx
from carillon_local.options import read_options
from carillon_local.programs import MODULES, Wiring, service_program
from runtime.public_address import read_networks
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.engine import Engine


async def allowed_networks(tmp_path: Path, given: dict[str, str]) -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        wiring = Wiring(
            options=read_options({**given, "LOCAL_DIR": str(tmp_path)}),
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
        return service_program("webhook-worker", wiring).environment["WEBHOOK_ALLOW_NETWORKS"]


async def test_webhooks_may_go_to_this_machine_and_to_the_networks_that_are_named(tmp_path: Path) -> None:
    alone = await allowed_networks(tmp_path, {})
    named = await allowed_networks(tmp_path, {"WEBHOOK_ALLOW_NETWORKS": "10.0.0.0/8,fd00::/8"})

    assert read_networks(alone) == read_networks("127.0.0.0/8")
    assert read_networks(named) == read_networks("127.0.0.0/8,10.0.0.0/8,fd00::/8")
