"""What a change of a user means for their occasions, in the transaction of that change."""

from domain.due_dates import first_date, local_instant
from messaging.topology import Topology
from msgspec.structs import replace
from runtime.database import Connection
from runtime.statements import Statements

from user_api.decide_dates import rule_in
from user_api.occasion import Occasion, Owner, occasion_of
from user_api.occasion_events import append_changed
from user_api.user import User

SQL = Statements("user_api")


async def follow_user(connection: Connection, topology: Topology, old: User, new: User) -> None:
    """Bring a user's occasions up to their new zone and leap-day policy; the user is locked."""
    if new.details.leap_day_policy != old.details.leap_day_policy:
        await _follow_policy(connection, topology, old, new)
    if new.details.timezone != old.details.timezone:
        await _follow_zone(connection, new)


async def _follow_policy(connection: Connection, topology: Topology, old: User, new: User) -> None:
    """Decide anew from when on occasions of February 29 ring, and tell of each, also where the date stays.

    Until it is told, the scheduler plans an occasion by the policy that its first date was decided under.
    """
    rows = await connection.fetch(SQL["lock_leap_days"], new.id)
    changed = [followed(occasion_of(row), old, new) for row in rows]
    if changed:
        await connection.execute(
            SQL["update_first_dates"],
            [occasion.id for occasion in changed],
            [occasion.first_date for occasion in changed],
            [occasion.version for occasion in changed],
            [occasion.updated_at for occasion in changed],
        )
        await append_changed(connection, topology, changed, owner(new))


def followed(occasion: Occasion, old: User, new: User) -> Occasion:
    """Give an occasion as a change of its user makes it: another leap-day policy can open another date."""
    at = max(new.updated_at, occasion.updated_at)
    decided = first_date(
        rule_in(occasion, owner(new)),
        rule_in(occasion, owner(old)),
        occasion.first_date,
        changed_at=at,
    )
    first = occasion.first_date if decided is None else decided
    return replace(occasion, first_date=first, version=occasion.version + 1, updated_at=at)


async def _follow_zone(connection: Connection, new: User) -> None:
    """Find anew when reminders end that have not; what has ended stays so, whatever the new clocks show."""
    rows = await connection.fetch(SQL["lock_ending_reminders"], new.id, new.updated_at)
    if rows:
        await connection.execute(
            SQL["update_ends"],
            [row["id"] for row in rows],
            [
                local_instant(row["last_date"], row["local_date_time"].time(), new.details.timezone)
                for row in rows
            ],
        )


def owner(user: User) -> Owner:
    """Give what a user decides about their occasions."""
    return Owner(id=user.id, timezone=user.details.timezone, leap_day_policy=user.details.leap_day_policy)
