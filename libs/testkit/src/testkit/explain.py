"""What PostgreSQL does for a statement, by its own account."""

from typing import Any

import msgspec
from runtime.database import Connection, Pool

Node = dict[str, Any]


async def explain(connection: Connection | Pool, statement: str, *arguments: object) -> list[Node]:
    """Run a statement as asyncpg does, prepared; return its plan's nodes, with what each did and read."""
    [(text,)] = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *arguments)
    return nodes(msgspec.json.decode(text)[0]["Plan"])


def nodes(plan: Node) -> list[Node]:
    """Return a plan's node and all below it."""
    return [plan, *(node for part in plan.get("Plans", []) for node in nodes(part))]
