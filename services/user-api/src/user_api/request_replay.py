"""POST /delivery/retry: what an endpoint has missed is sent again; and how far that has come."""

from uuid import UUID

from runtime.database import Connection
from runtime.statements import Statements
from uuid_utils.compat import uuid7

from user_api.context import Context
from user_api.refusals import UnknownReplayError
from user_api.replay import STATUSES_OF, NewReplay, ReplayAnswer, replay_answer

SQL = Statements("user_api")


async def request_replay(context: Context, asked: NewReplay, *, by: str) -> ReplayAnswer:
    """Ask for a replay, which the webhook worker does at its rate; what is settled so by now is counted."""
    replay_id = uuid7()
    async with context.connection() as connection, connection.transaction():
        await connection.execute(
            SQL["request_replay"],
            replay_id,
            asked.endpoint_id,
            asked.since,
            asked.until,
            STATUSES_OF[asked.status],
            by,
        )
        return await _find(connection, replay_id)


async def read_replay(context: Context, replay_id: UUID) -> ReplayAnswer:
    """Tell how far a replay has come. Raises UnknownReplayError."""
    async with context.connection() as connection:
        return await _find(connection, replay_id)


async def _find(connection: Connection, replay_id: UUID) -> ReplayAnswer:
    row = await connection.fetchrow(SQL["find_replay"], replay_id)
    if row is None:
        raise UnknownReplayError
    return replay_answer(row)
