"""Disabling: an endpoint that answers 410 is sent nothing more until somebody enables it."""

from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus

import structlog
from domain.endpoint_events import EndpointDisabled
from domain.ids import endpoint_event_id
from domain.retry import Response
from messaging.envelope import Outgoing, compose
from messaging.outbox import append
from messaging.topology import Topology
from runtime.database import Connection
from runtime.statements import Statements

from webhook_worker.answer_repeats import SOURCE
from webhook_worker.delivery import Attempt

log = structlog.get_logger()

SQL = Statements("webhook_worker")


async def disable_endpoints(
    connection: Connection, topology: Topology, offset: timedelta, attempts: Sequence[Attempt]
) -> None:
    """Disable each registered endpoint that answered 410, and append EndpointDisabled.

    Not one that was changed since it was asked: who changed it knows better than an old answer.
    """
    gone = {
        (attempt.delivery.endpoint_id, attempt.delivery.endpoint_version)
        for attempt in attempts
        if isinstance(attempt.outcome, Response) and attempt.outcome.status == HTTPStatus.GONE
    }
    if not gone:
        return
    rows = await connection.fetch(
        SQL["disable_endpoints"],
        [endpoint_id for endpoint_id, _ in gone],
        [version for _, version in gone],
        offset,
    )
    for row in rows:
        disabled = EndpointDisabled(
            endpoint_id=row["id"], version=row["version"], occurred_at=row["now"], reason="gone"
        )
        await append(connection, compose(topology, SOURCE, disabled.occurred_at, [outgoing(disabled)]))
        log.warning("endpoint.disabled", endpoint_id=str(disabled.endpoint_id), reason=disabled.reason)


def outgoing(disabled: EndpointDisabled) -> Outgoing:
    """Return the event under its derived id; an endpoint's events keep together."""
    event_id = endpoint_event_id(disabled.endpoint_id, disabled.event_type, disabled.version)
    return Outgoing(event_id=event_id, subject=disabled.endpoint_id, event=disabled)
