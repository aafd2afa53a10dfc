"""Queues of jobs in PostgreSQL as peers, each a process of its own that picks jobs up, or POSTs for each."""

import asyncio
from asyncio.subprocess import PIPE
from datetime import timedelta

import msgspec
from carillon_local.surroundings import inherited
from msgspec import Struct
from testkit.die_with_parent import dies_with_parent
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase

from bench.peer_environment import PEERS, peer_python
from bench.picked_up import PickedUp
from bench.sink_process import Sink

PGQUEUER, PROCRASTINATE = "pgqueuer", "procrastinate"
ALL_WITHIN = 300.0
EMPTY = "template1"


class Posted(Struct, frozen=True, kw_only=True, rename="camel"):
    """When a peer began, when its last POST was answered (seconds since the epoch); its CPU in between."""

    started: float
    ended: float
    cpu_seconds: float


async def picked_up_by(peer: str, server: EmbeddedPostgres, count: int, step: timedelta) -> PickedUp:
    """Let a peer pick up so many jobs, one due a step, from a database of its own; check that all were."""
    told = await told_by(peer, server, "ring", [str(count), str(step.total_seconds())])
    picked_up = msgspec.json.decode(told, type=PickedUp)
    assert len(picked_up.picked) == count, len(picked_up.picked)
    return picked_up


async def posted_by(peer: str, server: EmbeddedPostgres, count: int, sink: Sink) -> Posted:
    """Let a peer make a POST to the sink for each of so many jobs; check that all came."""
    sink.forget()
    told = await told_by(peer, server, "post", [str(count), sink.url])
    assert sink.tally().count == count, sink.tally()
    return msgspec.json.decode(told, type=Posted)


async def told_by(peer: str, server: EmbeddedPostgres, what: str, arguments: list[str]) -> bytes:
    """Run a peer's script on a database of its own; return what it says."""
    async with FreshDatabase(server, peer, template=EMPTY) as database:
        script = str(PEERS / f"{what}_by_{peer}.py")
        process = await asyncio.create_subprocess_exec(
            *dies_with_parent([peer_python(), script, database.admin_url, *arguments]),
            env=inherited(),
            stdout=PIPE,
        )
        try:
            async with asyncio.timeout(ALL_WITHIN):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return output
