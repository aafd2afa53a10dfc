"""What a service looks through for garbage, seen in a process of its own: it is set for a whole process."""

import json
import subprocess
import sys

SERVICE = """
import gc, json
from runtime.service import run_service
from runtime.settings import ServiceSettings

async def serve(settings, stop):
    before = gc.get_stats()[0]["collections"]
    new = [[] for _ in range(10_000)]
    print(json.dumps({"frozen": gc.get_freeze_count(), "looked": gc.get_stats()[0]["collections"] - before}))

run_service("a-service", ServiceSettings, serve)
"""


def test_a_service_does_not_look_among_what_stays_nor_after_every_few_objects() -> None:
    environment = {
        "CARILLON_ENV": "test",
        "DATABASE_URL": "postgresql://nowhere",
        "TOPOLOGY_FILE": "none",
        "LOG_LEVEL": "warning",
    }
    said = subprocess.run(  # noqa: S603 (our own words)
        [sys.executable, "-c", SERVICE], env=environment, capture_output=True, check=True, text=True
    ).stdout

    told = json.loads(said)
    assert told["looked"] == 0
    assert told["frozen"] > 10_000
