import httpx
import pytest
from testkit import build
from testkit.fresh_database import FreshDatabase


async def test_an_endpoint_is_disabled_and_enabled_and_twice_is_once(api: httpx.AsyncClient) -> None:
    location = (await api.post("/endpoint", json=build.endpoint_body())).headers["Location"]

    shown = [
        (await api.post(f"{location}/{switch}")).json()
        for switch in ("disable", "disable", "enable", "enable")
    ]

    assert [(one["enabled"], one["disabledReason"], one["version"]) for one in shown] == [
        (False, "manual", 2),
        (False, "manual", 2),
        (True, None, 3),
        (True, None, 3),
    ]
    assert (await api.get(location)).json() == shown[-1]


@pytest.mark.parametrize("reason", ["gone", "failing"])
async def test_what_the_worker_disabled_keeps_the_reason_until_it_is_enabled(
    api: httpx.AsyncClient, database: FreshDatabase, reason: str
) -> None:
    location = (await api.post("/endpoint", json=build.endpoint_body())).headers["Location"]
    admin = await database.connect()
    await admin.execute("UPDATE delivery.endpoints SET enabled = false, disabled_reason = $1", reason)

    disabled = await api.post(f"{location}/disable")
    changed = await api.patch(location, json={"rateLimit": 5}, headers={"If-Match": "*"})
    enabled = await api.post(f"{location}/enable", headers={"Idempotency-Key": "again"})

    assert [one.json()["disabledReason"] for one in (disabled, changed, enabled)] == [reason, reason, None]
    assert (enabled.json()["enabled"], enabled.json()["rateLimit"]) == (True, 5)
    assert enabled.headers["ETag"] == f'"{enabled.json()["version"]}"'
