"""`python -m infra.observability.write_dashboards`: write the dashboards' JSON, for Grafana 10 and newer."""

from pathlib import Path
from typing import Any

import msgspec

from infra.observability.panels import DASHBOARDS, Dashboard, Panel

FOLDER = Path(__file__).with_name("dashboards")
# Those that grafana/otel-lgtm has.
METRICS = {"type": "prometheus", "uid": "prometheus"}
TRACES = {"type": "tempo", "uid": "tempo"}
SCHEMA_VERSION = 39
ACROSS, HEIGHT = 3, 8
WIDTH = 24 // ACROSS
# From a slow delivery to its trace in one click: each row is a link.
SLOWEST = {
    "Slow deliveries (an attempt of more than 1 s)": "{ name = `attempt` && duration > 1s }",
    "What was given up": "{ name = `attempt` && span.carillon.decision = `GaveUp` }",
    "What fell due, last first": "{ name =~ `create .*-due` }",
}


def dashboard(of: Dashboard) -> dict[str, Any]:
    """Return a dashboard as Grafana has it."""
    return framed(of.uid, of.title, [panel(one, place) for place, one in enumerate(of.panels)])


def tracing() -> dict[str, Any]:
    """Return the dashboard of traces: latencies, whose dots are traces, and lists of those worth a look."""
    latencies = [one for of in DASHBOARDS for one in of.panels if one.exemplars]
    lists = [
        {
            "id": 100 + place,
            "type": "table",
            "title": title,
            "datasource": TRACES,
            "gridPos": {"h": HEIGHT, "w": 24, "x": 0, "y": HEIGHT * (2 + place)},
            "targets": [
                {"refId": "A", "queryType": "traceql", "query": query, "limit": 20, "tableType": "spans"}
            ],
        }
        for place, (title, query) in enumerate(SLOWEST.items())
    ]
    return framed(
        "tracing", "Carillon: traces", [*(panel(one, place) for place, one in enumerate(latencies)), *lists]
    )


def framed(uid: str, title: str, panels: list[dict[str, Any]]) -> dict[str, Any]:
    """Return panels as a dashboard."""
    return {
        "uid": f"carillon-{uid}",
        "title": title,
        "tags": ["carillon"],
        "timezone": "browser",
        "schemaVersion": SCHEMA_VERSION,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["carillon"], "title": "Carillon", "asDropdown": False}],
        "panels": panels,
    }


def panel(of: Panel, place: int) -> dict[str, Any]:
    """Return a panel in its place, three in a row."""
    return {
        "id": place + 1,
        "type": of.kind,
        "title": of.title,
        "datasource": METRICS,
        "gridPos": {"h": HEIGHT, "w": WIDTH, "x": WIDTH * (place % ACROSS), "y": HEIGHT * (place // ACROSS)},
        "fieldConfig": {"defaults": {"unit": of.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "expr": query.expr,
                "legendFormat": query.legend or "__auto",
                "exemplar": of.exemplars,
            }
            for number, query in enumerate(of.queries)
        ],
    }


def documents() -> dict[str, bytes]:
    """Return each dashboard's file."""
    made = {of.uid: dashboard(of) for of in DASHBOARDS} | {"tracing": tracing()}
    return {
        f"{uid}.json": msgspec.json.format(msgspec.json.encode(one), indent=2) + b"\n"
        for uid, one in made.items()
    }


def main() -> None:
    """Write them."""
    for name, document in documents().items():
        (FOLDER / name).write_bytes(document)


if __name__ == "__main__":
    main()
