"""The events of a user, appended in the transaction of the change that they tell of."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import repeat
from uuid import UUID

from domain.events import (
    Event,
    UserBirthdayChanged,
    UserCreated,
    UserDeleted,
    UserNameChanged,
    UserState,
    UserTimezoneChanged,
)
from messaging.envelope import Message, Outgoing, compose
from messaging.outbox import append
from messaging.topology import Topology
from messaging.trace_messages import Origin
from runtime.database import Connection
from uuid_utils.compat import uuid5

from user_api.user import Details, User

SOURCE = "user-api"


async def append_changes(
    connection: Connection, topology: Topology, user: User, changes: Sequence[type[UserState]]
) -> None:
    """Append an event of each type in `changes`, each with the whole state that the user is in now."""
    events = [_state(change, user) for change in changes]
    await append(connection, _composed(topology, user.id, user.version, user.updated_at, events))


def created_messages(
    topology: Topology,
    users: Iterable[User],
    at: datetime,
    *,
    origins: Iterable[tuple[Origin | None, str | None]] = repeat((None, None)),
) -> list[Message]:
    """Give the messages, yet to be appended, of users created at one instant, each with its origin."""
    return compose(
        topology,
        SOURCE,
        at,
        (
            _outgoing(user.id, user.version, _state(UserCreated, user), origin, actor)
            for user, (origin, actor) in zip(users, origins, strict=False)
        ),
    )


async def append_deleted(
    connection: Connection, topology: Topology, user_id: UUID, version: int, at: datetime
) -> None:
    """Append UserDeleted: the deletion is a version of its own, the last."""
    event = UserDeleted(user_id=user_id, version=version, occurred_at=at)
    await append(connection, _composed(topology, user_id, version, at, [event]))


def _state(change: type[UserState], user: User) -> UserState:
    details = user.details
    return change(
        user_id=user.id,
        version=user.version,
        occurred_at=user.updated_at,
        first_name=details.first_name,
        last_name=details.last_name,
        date_of_birth=details.date_of_birth,
        timezone=details.timezone,
        send_at_local=details.send_at_local,
        leap_day_policy=details.leap_day_policy,
        first_date=user.first_date,
    )


def _composed(
    topology: Topology, user_id: UUID, version: int, at: datetime, events: Sequence[Event]
) -> list[Message]:
    return compose(topology, SOURCE, at, (_outgoing(user_id, version, event) for event in events))


def _outgoing(
    user_id: UUID, version: int, event: Event, origin: Origin | None = None, actor: str | None = None
) -> Outgoing:
    return Outgoing(
        event_id=event_id(user_id, version, event.event_type),
        subject=user_id,
        event=event,
        origin=origin,
        actor=actor,
    )


def changes_between(old: Details, new: Details) -> list[type[UserState]]:
    """Name the events that tell how `new` differs from `old`; e-mail addresses are in no event."""
    changes: list[type[UserState]] = []
    if (old.date_of_birth, old.send_at_local, old.leap_day_policy) != (
        new.date_of_birth,
        new.send_at_local,
        new.leap_day_policy,
    ):
        changes.append(UserBirthdayChanged)
    if old.timezone != new.timezone:
        changes.append(UserTimezoneChanged)
    if (old.first_name, old.last_name) != (new.first_name, new.last_name):
        changes.append(UserNameChanged)
    return changes


def event_id(user_id: UUID, version: int, event_type: str) -> UUID:
    """Name an event by what it tells: telling of the same change again is the same event."""
    return uuid5(user_id, f"{version}/{event_type}")
