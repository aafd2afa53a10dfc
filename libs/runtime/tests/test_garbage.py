"""What a service looks through for garbage, seen in a process of its own: it is set for a whole process."""

import json
from collections.abc import Callable

SERVE = """
import gc, json

async def serve(settings, stop):
    before = gc.get_stats()[0]["collections"]
    new = [[] for _ in range(10_000)]
    print(json.dumps({"frozen": gc.get_freeze_count(), "looked": gc.get_stats()[0]["collections"] - before}))
"""


def test_a_service_does_not_look_among_what_stays_nor_after_every_few_objects(
    said_by_service: Callable[[str], str],
) -> None:
    told = json.loads(said_by_service(SERVE))

    assert told["looked"] == 0
    assert told["frozen"] > 10_000
