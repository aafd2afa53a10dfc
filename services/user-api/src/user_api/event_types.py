"""The due event types: what the topology says of each, and whether it is paused."""

from datetime import datetime
from typing import Annotated

from domain.kinds import KINDS, OccasionType
from domain.priority import Priority
from messaging.topology import EventType, Topology
from msgspec import Meta, Struct
from runtime.database import Connection
from runtime.statements import Statements

from user_api.context import Context
from user_api.name_actor import name_actor
from user_api.pause import Pause, pause_of
from user_api.refusals import UnknownEventTypeError

SQL = Statements("user_api")

OCCASION_TYPES = {kind.due_event.event_type: kind.occasion_type for kind in KINDS.values()}
"""The type of occasion that each due event type is of."""


class EventTypeAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """A due event type as answered."""

    name: str
    occasion_type: OccasionType
    topic: str
    priority: Annotated[Priority, Meta(description="Of those without a priority of their own.")]
    catch_up_hours: Annotated[
        float | None, Meta(description="How late one may be sent; later, it expires. Without limit if null.")
    ]
    send_window_minutes: Annotated[
        int, Meta(description="Over how long those due at one instant are spread, from that instant on.")
    ]
    paused: Pause | None


class EventTypeItems(Struct, frozen=True, kw_only=True):
    """Every due event type."""

    items: list[EventTypeAnswer]


def send_windows(topology: Topology) -> dict[str, int]:
    """Give the send window of each type of occasion, in minutes."""
    return {kind: topology.event_types[name].send_window_minutes for name, kind in OCCASION_TYPES.items()}


async def list_event_types(context: Context) -> list[EventTypeAnswer]:
    """Give the due event types, by name."""
    async with context.connection() as connection:
        pauses = await _pauses(connection)
    return [_answer(context, name, pauses.get(kind)) for name, kind in OCCASION_TYPES.items()]


async def pause_event_type(context: Context, name: str, *, note: str | None, by: str) -> EventTypeAnswer:
    """Hold back every occasion of a type from now on; one that is paused stays as it is.

    What is being emitted meanwhile is waited for: once this returns, nothing of it is emitted. Raises
    UnknownEventTypeError.
    """
    kind = _kind(name)
    async with context.connection() as connection, connection.transaction():
        await connection.execute(SQL["pause_event_type"], kind, note, await _now(context, connection), by)
        return _answer(context, name, (await _pauses(connection)).get(kind))


async def resume_event_type(context: Context, name: str) -> EventTypeAnswer:
    """Let a type ring again, what was held back as well, if its catch-up window still allows.

    Raises UnknownEventTypeError.
    """
    kind = _kind(name)
    async with context.connection() as connection, connection.transaction():
        await name_actor(connection)
        await connection.execute(SQL["resume_event_type"], kind, await _now(context, connection))
    return _answer(context, name, None)


def _kind(name: str) -> str:
    if name not in OCCASION_TYPES:
        raise UnknownEventTypeError
    return OCCASION_TYPES[name]


async def _now(context: Context, connection: Connection) -> datetime:
    now: datetime = await connection.fetchval(SQL["business_now"], context.clock_offset)
    return now


async def _pauses(connection: Connection) -> dict[str, Pause]:
    rows = await connection.fetch(SQL["find_type_pauses"])
    return {row["occasion_type"]: pause_of(row) for row in rows}


def _answer(context: Context, name: str, paused: Pause | None) -> EventTypeAnswer:
    return event_type_answer(name, context.topology.event_types[name], paused)


def event_type_answer(name: str, event_type: EventType, paused: Pause | None) -> EventTypeAnswer:
    """Give the answer that tells of a due event type."""
    return EventTypeAnswer(
        name=name,
        occasion_type=OccasionType(OCCASION_TYPES[name]),
        topic=event_type.topic,
        priority=event_type.priority,
        catch_up_hours=event_type.catch_up_hours,
        send_window_minutes=event_type.send_window_minutes,
        paused=paused,
    )
