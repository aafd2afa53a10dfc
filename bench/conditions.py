"""Under which conditions figures came about: what was run on what, when, and whether it was quiet."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version

import asyncpg
from msgspec import Struct

from bench.scratch import SQL, scratch_postgres

PACKAGES = ("aiobotocore", "aiohttp", "asyncpg", "pyreqwest", "uvloop")


class Conditions(Struct, frozen=True, kw_only=True, rename="camel"):
    """What figures depend on. `load` is the machine's load average over the minute before."""

    measured_at: datetime
    quick: bool
    cores: int
    load: float
    python: str
    postgres: str
    engine: str
    packages: dict[str, str]


async def conditions(*, quick: bool) -> Conditions:
    """Return those of now."""
    load = os.getloadavg()[0]
    async with scratch_postgres() as server:
        connection = await asyncpg.connect(server.url(database="postgres"))
        postgres = await connection.fetchval(SQL["server_version"])
        await connection.close()
    return Conditions(
        measured_at=datetime.now(UTC).replace(microsecond=0),
        quick=quick,
        cores=os.cpu_count() or 0,
        load=round(load, 2),
        python=platform.python_version(),
        postgres=postgres,
        engine="another" if os.environ.get("ENGINE_COMMAND") else f"roto-aws {version('roto-aws')}",
        packages={name: version(name) for name in PACKAGES},
    )
