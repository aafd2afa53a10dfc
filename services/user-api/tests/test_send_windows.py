from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
import yaml
from domain.ids import due_event_id
from domain.send_window import jitter_seconds
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.repository import find_topology

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]

WINDOW_MINUTES = 720


@pytest_asyncio.fixture
async def spreading(
    database: FreshDatabase,
    environment: Environment,
    running: Running,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> AsyncIterator[httpx.AsyncClient]:
    """A running service whose topology spreads every due type over twelve hours."""
    contracts = find_topology(pytestconfig.rootpath).parent
    topology = yaml.safe_load((contracts / "topology.yaml").read_text())
    for name, event_type in topology["eventTypes"].items():
        if name.endswith("Due"):
            event_type["sendWindowMinutes"] = WINDOW_MINUTES
    file = tmp_path / "topology.yaml"
    file.write_text(yaml.safe_dump(topology))
    schema = "topology.schema.json"
    file.with_name(schema).write_text((contracts / schema).read_text())
    url = database.url("carillon_user_api")
    async with running(environment(url, TOPOLOGY_FILE=str(file))) as session:
        yield session


async def test_a_preview_tells_each_dates_place_in_the_window(spreading: httpx.AsyncClient) -> None:
    made = await spreading.post("/user", json=build.user_body(timezone="UTC", dateOfBirth="1990-12-10"))
    user = made.headers["Location"]

    items = (await spreading.get(f"{user}/occurrence?next=5")).json()["items"]

    places = [
        jitter_seconds(due_event_id(UUID(item["occasionId"]), item["localDate"]), WINDOW_MINUTES)
        for item in items
    ]
    assert [item["jitterSeconds"] for item in items] == places
    assert len(set(places)) == 5
    assert [item["dueAt"] for item in items] == [
        (datetime.fromisoformat(f"{item['localDate']}T09:00:00Z") + timedelta(seconds=place))
        .isoformat()
        .replace("+00:00", "Z")
        for item, place in zip(items, places, strict=True)
    ]
    [moved] = (await spreading.post(f"{user}/change-preview", json={"timezone": "Asia/Tokyo"})).json()[
        "items"
    ]
    assert moved["before"]["dueAt"] == items[0]["dueAt"]


async def test_what_is_promised_for_now_is_to_come_until_its_place_in_the_window(
    spreading: httpx.AsyncClient,
) -> None:
    made = await spreading.post("/user", json=build.user_body())
    user = made.headers["Location"]
    notification = (await spreading.post(f"{user}/occasion", json=build.notification_body(at="now"))).json()

    [first, *_] = (await spreading.get(f"{user}/occurrence")).json()["items"]

    assert first["occasionId"] == notification["id"]
    place = timedelta(seconds=first["jitterSeconds"])
    assert datetime.fromisoformat(first["dueAt"]) - place == datetime.fromisoformat(notification["at"])


async def test_the_event_types_tell_their_windows(spreading: httpx.AsyncClient) -> None:
    items = (await spreading.get("/event-type")).json()["items"]

    assert {item["sendWindowMinutes"] for item in items} == {WINDOW_MINUTES}
