"""Following endpoints: who fails, since when, and who is sent nothing more until somebody enables them."""

from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from uuid import UUID

import structlog
from domain.endpoint_events import EndpointDisabled
from domain.ids import endpoint_event_id
from domain.patience import DISABLED_AFTER
from domain.retry import Response, is_delivered
from messaging.envelope import Outgoing, compose
from messaging.outbox import append
from messaging.topology import Topology
from runtime.database import Connection
from runtime.statements import Statements

from webhook_worker.answer_repeats import SOURCE
from webhook_worker.delivery import Attempt

log = structlog.get_logger()

SQL = Statements("webhook_worker")


async def follow_endpoints(
    connection: Connection,
    topology: Topology,
    offset: timedelta,
    attempts: Sequence[Attempt],
    *,
    were_failing: set[UUID],
) -> None:
    """Note which endpoints fail and which of those that `were_failing` do no longer; disable the lost ones.

    Costs nothing where all is well: no statement for endpoints that answer as they did. Last in its
    transaction, so that whoever waits for these rows holds none that others need.
    """
    delivered = {one.delivery.endpoint_id for one in attempts if is_delivered(one.outcome)}
    failed = [one for one in attempts if not is_delivered(one.outcome)]
    if failed:
        await disable_endpoints(connection, topology, offset, failed)
    if recovered := delivered & were_failing:
        await connection.execute(SQL["clear_failing"], sorted(recovered))
    if failing := {one.delivery.endpoint_id for one in failed} - delivered:
        await connection.execute(SQL["mark_failing"], sorted(failing))


async def disable_endpoints(
    connection: Connection, topology: Topology, offset: timedelta, failed: Sequence[Attempt]
) -> None:
    """Disable each registered endpoint that answered 410 or has only failed for 120 h; tell it.

    Not one that was changed since it was asked: who changed it knows better than an old answer.
    """
    asked = dict.fromkeys(
        ((one.delivery.endpoint_id, one.delivery.endpoint_version) for one in failed), False
    )
    asked |= {
        (one.delivery.endpoint_id, one.delivery.endpoint_version): True for one in failed if is_gone(one)
    }
    rows = await connection.fetch(
        SQL["disable_endpoints"],
        [endpoint_id for endpoint_id, _ in asked],
        [version for _, version in asked],
        list(asked.values()),
        DISABLED_AFTER,
        offset,
    )
    for row in rows:
        disabled = EndpointDisabled(
            endpoint_id=row["id"], version=row["version"], occurred_at=row["now"], reason=row["reason"]
        )
        await append(connection, compose(topology, SOURCE, disabled.occurred_at, [outgoing(disabled)]))
        log.warning("endpoint.disabled", endpoint_id=str(disabled.endpoint_id), reason=disabled.reason)


def is_gone(attempt: Attempt) -> bool:
    """Tell whether the endpoint says that it will never take anything again."""
    return isinstance(attempt.outcome, Response) and attempt.outcome.status == HTTPStatus.GONE


def outgoing(disabled: EndpointDisabled) -> Outgoing:
    """Return the event under its derived id; an endpoint's events keep together."""
    event_id = endpoint_event_id(disabled.endpoint_id, disabled.event_type, disabled.version)
    return Outgoing(event_id=event_id, subject=disabled.endpoint_id, event=disabled)
