import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import time
from pathlib import Path

import httpx
import pytest
import yaml
from messaging.topology import load_topology
from testkit import build
from testkit.fresh_database import FreshDatabase
from testkit.repository import find_topology
from user_api.default_times import default_times

Environment = Callable[..., dict[str, str]]
Running = Callable[[dict[str, str]], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def topology_file(tmp_path: Path, pytestconfig: pytest.Config) -> Path:
    """Write a topology by which birthdays ring at 07:45, anniversaries at 20:00, and reminders do not say."""
    ours = find_topology(pytestconfig.rootpath)
    document = yaml.safe_load(ours.read_text())
    document["eventTypes"]["BirthdayDue"]["sendAtLocal"] = "07:45"
    document["eventTypes"]["AnniversaryDue"]["sendAtLocal"] = "20:00"
    del document["eventTypes"]["ReminderDue"]["sendAtLocal"]
    (tmp_path / "topology.yaml").write_text(yaml.safe_dump(document))
    (tmp_path / "topology.schema.json").write_bytes(ours.with_name("topology.schema.json").read_bytes())
    return tmp_path / "topology.yaml"


def test_a_type_rings_at_nine_where_its_event_type_does_not_say(topology_file: Path) -> None:
    times = default_times(load_topology(topology_file))
    assert (times["BIRTHDAY"], times["ANNIVERSARY"], times["REMINDER"]) == (time(7, 45), time(20), time(9))


async def test_who_does_not_say_when_is_rung_at_the_event_types_time(
    database: FreshDatabase, environment: Environment, running: Running, topology_file: Path
) -> None:
    settings = environment(database.url("carillon_user_api"), TOPOLOGY_FILE=str(topology_file))
    line = json.dumps({**build.user_body(), "key": "imported"})
    async with running(settings) as api:
        created = await api.post("/user", json=build.user_body(sendAtLocal="10:00"))
        user = created.headers["Location"]
        patched = await api.patch(user, json={"sendAtLocal": None}, headers={"If-Match": "*"})
        imported = await api.post(
            "/user/import", content=line, headers={"Content-Type": "application/x-ndjson"}
        )
        others = [
            await api.post("/user", json=build.user_body()),
            await api.put(user, json=build.user_body(), headers={"If-Match": "*"}),
            await api.get(f"/user/{json.loads(imported.text.splitlines()[0])['id']}"),
        ]
        anniversary = await api.post(f"{user}/occasion", json=build.anniversary_body())

    assert [answer.json()["sendAtLocal"] for answer in (created, patched)] == ["10:00", "07:45"]
    assert [answer.json()["sendAtLocal"] for answer in others] == ["07:45", "07:45", "07:45"]
    assert anniversary.json()["sendAtLocal"] == "20:00"
