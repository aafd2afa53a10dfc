"""The whole system, real processes and all, for the promises to its users."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import yaml
from carillon_local.system import LocalSystem
from testkit.ports import LOOPBACK, free_port
from testkit.received import Received
from testkit.receiver import Receiver

# Short, so that what a killed process held is free again while a test still waits.
SHORT_LEASES = {
    "scheduler": {"CHECK_AFTER_SECONDS": "20"},
    "dispatcher": {"OUTBOX_LEASE_SECONDS": "3"},
    "webhook-worker": {
        "DELIVERY_LEASE_SECONDS": "6",
        "WEBHOOK_TIMEOUT_SECONDS": "4",
        "DEAD_LETTERS_EVERY_SECONDS": "1",
    },
}
SHORT_VISIBILITY_SECONDS = 5
# A kill costs a receive; the tests kill more often than a night does.
MANY_RECEIVES = 20


# What is told of itself is told soon, and what a collector that is away does not get is soon given up.
SOON_TOLD = {
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "OTEL_METRIC_EXPORT_INTERVAL": "2000",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "5",
}
SERVICES = ("user-api", "scheduler", "dispatcher", "webhook-worker")


def traced_to(endpoint: str, environments: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Return what each service is told besides, and that its traces and metrics go to `endpoint`."""
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **SOON_TOLD}
    return {name: {**environments.get(name, {}), **told} for name in SERVICES}


class Carillon:
    """A running system, used as a stranger would, and looked into as its database's owner can."""

    def __init__(self, system: LocalSystem, api: httpx.AsyncClient) -> None:
        self.system = system
        self.api = api

    @classmethod
    @asynccontextmanager
    async def to(cls, system: LocalSystem) -> AsyncIterator[Self]:
        """Open a client to the system's API."""
        async with httpx.AsyncClient(base_url=system.api_url, trust_env=False) as api:
            yield cls(system, api)

    async def create_user(self, **fields: str) -> dict[str, Any]:
        answer = await self.api.post("/user", json=fields)
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    async def create_user_due_at(
        self, due_at: datetime, *, timezone: str = "Asia/Kathmandu", name: str = "Ada", **fields: str
    ) -> str:
        local = due_at.astimezone(ZoneInfo(timezone))
        user = await self.create_user(
            firstName=name,
            lastName="Lovelace",
            dateOfBirth=local.date().replace(year=1992).isoformat(),
            timezone=timezone,
            sendAtLocal=local.strftime("%H:%M:%S"),
            **fields,
        )
        return str(user["id"])

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.system.database_url())
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()

    async def planned(self, user_ids: set[str]) -> int:
        """Count the occurrences of these users that are planned and not yet due."""
        [row] = await self.fetch(
            "SELECT count(*) FROM schedule.occurrences WHERE status = 'PENDING' AND user_id = ANY($1)",
            list(user_ids),
        )
        return int(row["count"])

    async def finished(self, user_ids: set[str]) -> dict[str, int]:
        """Count the occurrences of these users in history, by status."""
        rows = await self.fetch(
            "SELECT status, count(*) FROM schedule.history WHERE user_id = ANY($1::uuid[]) GROUP BY status",
            list(user_ids),
        )
        return {row["status"]: row["count"] for row in rows}


@asynccontextmanager
async def registered(carillon: Carillon, **fields: object) -> AsyncIterator[tuple[str, Receiver]]:
    """Register an endpoint over REST and listen there, verifying with the secret that was answered."""
    port = free_port()
    body = {"url": f"http://{LOOPBACK}:{port}/webhook", **fields}
    created = await carillon.api.post("/endpoint", json=body)
    assert created.status_code == 201, created.text
    try:
        async with Receiver(secret=created.json()["secret"], port=port) as receiver:
            yield created.json()["id"], receiver
    finally:
        await carillon.api.delete(f"/endpoint/{created.json()['id']}", headers={"If-Match": "*"})


def posts_for(partner: Receiver, user_ids: set[str]) -> list[Received]:
    """Return every POST with a good signature that the partner has had for these users."""
    return [post for post in partner.deliveries if post.valid and post.body["userId"] in user_ids]


def soon(seconds: float) -> datetime:
    """Return the whole second that is at least `seconds` from now; moments have no fractions."""
    return (datetime.now(UTC) + timedelta(seconds=seconds + 1)).replace(microsecond=0)


def with_short_visibility(topology_file: Path, folder: Path) -> Path:
    """Write a copy of the contracts' topology whose messages come back soon after a kill."""
    document = yaml.safe_load(topology_file.read_text())
    for queue in document["queues"].values():
        queue["visibilitySeconds"] = SHORT_VISIBILITY_SECONDS
        queue["maxReceives"] = MANY_RECEIVES
    copy = folder / "topology.yaml"
    copy.write_text(yaml.safe_dump(document))
    schema = topology_file.with_name("topology.schema.json")
    copy.with_name(schema.name).write_bytes(schema.read_bytes())
    return copy
