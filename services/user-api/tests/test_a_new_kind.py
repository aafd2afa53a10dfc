from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest
from runtime.database import Connection
from testkit import build
from testkit.api_process import ApiProcess
from testkit.fresh_database import FreshDatabase
from testkit.new_kind import release_with_nameday
from testkit.repository import find_topology

COMMON = {"id", "userId", "version", "type", "priority", "paused", "createdAt", "updatedAt"}


async def test_a_kind_that_is_one_module_and_one_entry_is_offered_previewed_and_told_of(
    database: FreshDatabase, admin: Connection, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    topology_file = find_topology(pytestconfig.rootpath)
    release = release_with_nameday(tmp_path / "release", topology_file)
    process = ApiProcess(
        database.url("carillon_user_api"), topology_file, tmp_path / "user-api.log", **release
    )
    process.start()
    try:
        async with httpx.AsyncClient(base_url=process.url) as api:
            born = build.user_body(timezone="Asia/Tokyo", dateOfBirth="1990-01-02")
            user = (await api.post("/user", json=born)).headers["Location"]
            created = await api.post(f"{user}/occasion", json={"type": "NAMEDAY", "date": "2000-01-01"})
            foreign = await api.post(
                f"{user}/occasion", json={"type": "NAMEDAY", "date": "2000-01-01", "at": "now"}
            )
            upcoming = await api.get(f"{user}/occurrence?next=1")
            document = await api.get("/openapi.json")
    finally:
        process.kill()

    assert created.status_code == 201, created.text
    occasion = created.json()
    assert (occasion["type"], occasion["sendAtLocal"]) == ("NAMEDAY", "08:15")
    assert occasion.keys() == COMMON | {"date", "sendAtLocal"}
    assert foreign.json()["errors"] == [{"field": "at", "reason": "is not a field of a name day"}]
    [item] = upcoming.json()["items"]
    due_at = datetime.fromisoformat(item["dueAt"])
    assert (item["occasionId"], item["eventType"]) == (occasion["id"], "NAMEDAY")
    assert due_at == datetime(due_at.year, 12, 31, 23, 15, tzinfo=UTC)  # 08:15 on January 1 in Tokyo
    assert "NewNameday" in document.json()["components"]["schemas"]
    [added] = await admin.fetch("SELECT body FROM outbox.messages WHERE event_type = 'OccasionAdded'")
    assert msgspec.json.decode(added["body"])["data"]["type"] == "NAMEDAY"
