"""Dashboards and alert rules ask for what the services tell, and lead to what to do."""

import re
from pathlib import Path

import pytest
import yaml
from runtime.metric_names import ALL

from infra.observability.panels import DASHBOARDS
from infra.observability.write_dashboards import FOLDER, documents

HERE = Path(__file__).parents[1]
DOCS = HERE.parents[1] / "docs"
KNOWN = {metric.name: metric for metric in ALL}
RULES = [
    rule
    for group in yaml.safe_load((HERE / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in RULES},
    **{
        f"{of.uid}: {panel.title} {number}": query.expr
        for of in DASHBOARDS
        for panel in of.panels
        for number, query in enumerate(panel.queries)
    },
}
# Every series has them: who scraped it, and the buckets of a histogram.
ALWAYS = {"job", "le"}


def metrics_in(expression: str) -> set[str]:
    """Return the metrics that an expression asks for; a histogram's series are the histogram's."""
    found = re.findall(r"\b(?:carillon|http_server|db_client)_\w+", expression)
    return {name if name in KNOWN else re.sub(r"_(bucket|sum|count)$", "", name) for name in found}


def labels_in(expression: str) -> set[str]:
    grouped = ",".join(re.findall(r"\bby \(([^)]*)\)", expression)).replace(" ", "").split(",")
    return {name for name in grouped if name} | set(re.findall(r"(\w+)\s*(?:=~|!=|=)\s*\"", expression))


def test_the_files_are_what_the_panels_make() -> None:
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == documents()


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_what_is_asked_for_is_told(expression: str) -> None:
    asked = metrics_in(expression)

    assert asked
    assert asked <= set(KNOWN)
    told = {label for name in asked for label in KNOWN[name].labels}
    assert labels_in(expression) <= told | ALWAYS


def test_every_metric_is_shown() -> None:
    assert {name for expression in EXPRESSIONS.values() for name in metrics_in(expression)} == set(KNOWN)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_urgent_it_is_and_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].removeprefix("docs/").partition("#")
    headings = re.findall(r"^## (.*)$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)

    assert rule["labels"]["severity"] in {"page", "escalate", "warn"}
    assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_silence_of_each_service_is_an_alert() -> None:
    silent = {rule["alert"] for rule in RULES if "absent(" in rule["expr"]}

    assert silent == {"SchedulerIsSilent", "DispatcherIsSilent", "WorkerIsSilent", "ApiIsSilent"}


def test_the_collector_leads_traces_and_metrics_through_what_it_has() -> None:
    collector = yaml.safe_load((HERE / "collector.yaml").read_text(encoding="utf-8"))

    pipelines = collector["service"]["pipelines"]
    assert set(pipelines) == {"traces", "metrics"}
    for kind in ("receivers", "processors", "exporters"):
        assert {name for one in pipelines.values() for name in one[kind]} == set(collector[kind])
