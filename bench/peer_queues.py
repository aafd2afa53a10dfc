"""Queues of jobs in PostgreSQL as peers: each picks up jobs when they are due, in a process of its own."""

import asyncio
from asyncio.subprocess import PIPE
from datetime import timedelta

import msgspec
from carillon_local.surroundings import inherited
from testkit.die_with_parent import dies_with_parent
from testkit.embedded_postgres import EmbeddedPostgres
from testkit.fresh_database import FreshDatabase

from bench.peer_environment import PEERS, peer_python
from bench.picked_up import PickedUp

PGQUEUER, PROCRASTINATE = "pgqueuer", "procrastinate"
ALL_WITHIN = 300.0
EMPTY = "template1"


async def picked_up_by(peer: str, server: EmbeddedPostgres, count: int, step: timedelta) -> PickedUp:
    """Let a peer pick up so many jobs, one due a step, from a database of its own; check that all were."""
    async with FreshDatabase(server, peer, template=EMPTY) as database:
        script = str(PEERS / f"ring_by_{peer}.py")
        arguments = [database.admin_url, str(count), str(step.total_seconds())]
        process = await asyncio.create_subprocess_exec(
            *dies_with_parent([peer_python(), script, *arguments]), env=inherited(), stdout=PIPE
        )
        try:
            async with asyncio.timeout(ALL_WITHIN):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    picked_up = msgspec.json.decode(output, type=PickedUp)
    assert len(picked_up.picked) == count, len(picked_up.picked)
    return picked_up
