"""The bare peer of `api`: Litestar, one INSERT and one SELECT; `python -m bench.bare_api POOL URL PORT`.

As one writes it by the documentation: the body is a Struct, the answer is JSON, nothing is logged. POOL is
`asyncpg`, its pool as it comes, or `lean`, the services' own, which spares it the query that resets sessions.
"""

import sys
from datetime import date, datetime, time
from functools import partial
from uuid import UUID

import asyncpg
import uvicorn
import uvloop
from litestar import Litestar, get, post
from litestar.exceptions import NotFoundException
from msgspec import Struct

from bench.scratch import SQL, open_pool

POOL_SIZE = 8  # the services'


class Person(Struct, rename="camel"):
    """What a client sends."""

    first_name: str
    last_name: str
    date_of_birth: date
    timezone: str
    email: str | None = None
    send_at_local: time = time(9)
    leap_day_policy: str = "feb_28"


class Created(Struct):
    """What POST answers."""

    id: UUID


class Stored(Person, kw_only=True):
    """What GET answers."""

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime


async def serve(kind: str, url: str, port: int) -> None:
    """Serve until told to stop."""
    of_asyncpg = partial(asyncpg.create_pool, min_size=POOL_SIZE, max_size=POOL_SIZE)
    async with of_asyncpg(url) if kind == "asyncpg" else open_pool(url) as pool:

        @post("/user")
        async def create(data: Person) -> Created:
            user_id = await pool.fetchval(
                SQL["insert_person"],
                data.first_name,
                data.last_name,
                data.date_of_birth,
                data.timezone,
                data.email,
                data.send_at_local,
                data.leap_day_policy,
            )
            return Created(user_id)

        @get("/user/{user_id:uuid}")
        async def read(user_id: UUID) -> Stored:
            row = await pool.fetchrow(SQL["select_person"], user_id)
            if row is None:
                raise NotFoundException
            return Stored(**row)

        app = Litestar([create, read])
        config = uvicorn.Config(
            app, host="127.0.0.1", port=port, http="httptools", access_log=False, log_level="warning"
        )
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
