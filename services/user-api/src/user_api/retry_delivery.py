"""POST /delivery/{id}/retry: a delivery is sent again, or sooner than its schedule says."""

from uuid import UUID

from runtime.statements import Statements

from user_api.context import Context
from user_api.delivery import DeliveryAnswer, delivery_answer
from user_api.read_delivery import find_delivery
from user_api.refusals import NothingToSendError

SQL = Statements("user_api")


async def retry_delivery(context: Context, delivery_id: UUID) -> DeliveryAnswer:
    """Open a settled delivery again, or have an open one tried at once; one under way stays so.

    Raises UnknownDeliveryError, NothingToSendError.
    """
    async with context.connection() as connection, connection.transaction():
        await connection.execute(SQL["retry_delivery"], delivery_id)
        # Nobody settles it before we commit: what it is now, it is by our doing.
        delivery = delivery_answer(await find_delivery(connection, delivery_id))
    if delivery.status != "pending":
        raise NothingToSendError
    return delivery
