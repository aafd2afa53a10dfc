"""promtool reads every alert rule and every query of the dashboards, and plays the rules' own tests."""

import asyncio
import json
from pathlib import Path

import pytest

from infra.observability.panels import DASHBOARDS, RATE

pytestmark = pytest.mark.judge

FOLDER = Path(__file__).parents[2] / "infra" / "observability"


async def promtool(*arguments: str | Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        "promtool",
        *arguments,
        cwd=FOLDER,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_the_alert_rules_are_rules() -> None:
    code, said = await promtool("check", "rules", "alerts.yaml")

    assert code == 0, said


async def test_the_alerts_ring_when_they_should_and_not_otherwise() -> None:
    code, said = await promtool("test", "rules", "alerts.test.yaml")

    assert code == 0, said


async def test_every_query_of_the_dashboards_is_promql(tmp_path: Path) -> None:
    queries = [query.expr for of in DASHBOARDS for panel in of.panels for query in panel.queries]
    rules = [
        {"record": f"carillon:query{number}", "expr": expr.replace(RATE, "[5m]")}
        for number, expr in enumerate(queries)
    ]
    file = tmp_path / "queries.yaml"
    file.write_text(json.dumps({"groups": [{"name": "dashboards", "rules": rules}]}), encoding="utf-8")

    code, said = await promtool("check", "rules", file)

    assert code == 0, said
    assert f"{len(queries)} rules found" in said
