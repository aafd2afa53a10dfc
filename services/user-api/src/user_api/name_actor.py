"""Naming who acts, for the audit that the database keeps of what no event tells of."""

from messaging.actor import ACTOR
from runtime.database import Connection
from runtime.statements import Statements
from runtime.telemetry import current_trace_id

SQL = Statements("user_api")


async def name_actor(connection: Connection) -> None:
    """Tell the transaction under way who asked for it, and in which trace."""
    await connection.execute(SQL["name_actor"], ACTOR.get() or "", current_trace_id() or "")
