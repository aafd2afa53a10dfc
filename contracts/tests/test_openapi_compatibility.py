"""openapi.json breaks no client of the released one."""

import json
from pathlib import Path

from testkit.openapi_changes import breaking_changes

CONTRACTS = Path(__file__).parents[1]


def test_the_api_breaks_no_client_of_the_released_one() -> None:
    released, current = (
        json.loads((CONTRACTS / place).read_text()) for place in ("released/openapi.json", "openapi.json")
    )

    assert breaking_changes(released, current) == [], "make a new operation or field beside the old one"
