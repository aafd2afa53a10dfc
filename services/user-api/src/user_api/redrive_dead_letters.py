"""POST /dead-letter/redrive: dead letters are asked back to the queues that they were meant for."""

from runtime.statements import Statements

from user_api.context import Context
from user_api.parse_redrive import Redrive, RedriveAnswer

SQL = Statements("user_api")


async def redrive_dead_letters(context: Context, asked: Redrive, *, by: str) -> RedriveAnswer:
    """Mark those that are open, which the webhook worker then sends; tell how many they are."""
    async with context.connection() as connection:
        count = await connection.fetchval(SQL["request_redrive"], list(asked.ids), asked.queue, by)
    return RedriveAnswer(count=count)
