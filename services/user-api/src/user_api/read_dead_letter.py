"""GET /dead-letter/{id}: a message that nobody could handle, whole."""

from uuid import UUID

from runtime.statements import Statements

from user_api.context import Context
from user_api.dead_letter import WholeDeadLetter, whole_dead_letter
from user_api.refusals import UnknownDeadLetterError

SQL = Statements("user_api")


async def read_dead_letter(context: Context, dead_letter_id: UUID) -> WholeDeadLetter:
    """Read a dead letter with its attributes and its body. Raises UnknownDeadLetterError."""
    async with context.connection() as connection:
        row = await connection.fetchrow(SQL["find_dead_letter"], dead_letter_id)
    if row is None:
        raise UnknownDeadLetterError
    return whole_dead_letter(row)
