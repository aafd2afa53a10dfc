"""Builders of valid things; what a test does not name has a default."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid4

from domain.due_dates import first_date
from domain.events import BirthdayDue, OccasionAdded, OccasionRemoved, UserCreated, UserDeleted
from domain.ids import birthday_occasion_id
from domain.occasion import DEFAULT_SEND_AT_LOCAL, LeapDayPolicy, OccasionType, Yearly
from domain.occasion_rule import birthday_of
from domain.priority import Priority
from msgspec import structs

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def user_body(**overrides: object) -> dict[str, Any]:
    """Return the JSON of a POST /user; an override of None leaves the field out."""
    body = {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "dateOfBirth": "1990-12-10",
        "timezone": "Europe/London",
        **overrides,
    }
    return {name: value for name, value in body.items() if value is not None}


def anniversary_body(**overrides: object) -> dict[str, Any]:
    """Return the JSON of a POST /user/{id}/occasion, a wedding on June 1."""
    return {"type": "ANNIVERSARY", "name": "wedding", "date": "2019-06-01", **overrides}


def reminder_body(**overrides: object) -> dict[str, Any]:
    """Return the JSON of a POST /user/{id}/occasion, one reminder in the year 2100."""
    return {"type": "REMINDER", "message": "Take a break", "localDateTime": "2100-01-01T10:00", **overrides}


def notification_body(**overrides: object) -> dict[str, Any]:
    """Return the JSON of a POST /user/{id}/occasion, a notification in the year 2100."""
    return {"type": "NOTIFICATION", "message": "Doors open", "at": "2100-01-01T10:00:00Z", **overrides}


def endpoint_body(**overrides: object) -> dict[str, Any]:
    """Return the JSON of a POST /endpoint; an override of None leaves the field out."""
    body = {"url": "https://partner.example.com/hooks", **overrides}
    return {name: value for name, value in body.items() if value is not None}


def birthday(**overrides: Any) -> Yearly:  # noqa: ANN401 (the Struct's own field types)
    """Return a birthday on December 10 at 09:00 in London."""
    default = Yearly(
        date=date(1990, 12, 10),
        send_at_local=DEFAULT_SEND_AT_LOCAL,
        timezone="Europe/London",
        leap_day_policy=LeapDayPolicy.FEB_28,
    )
    return structs.replace(default, **overrides)


def user_created(**overrides: Any) -> UserCreated:  # noqa: ANN401 (as above)
    """Return a user's first event; `first_date` follows from the rest unless it is given."""
    default = UserCreated(
        user_id=uuid4(),
        version=1,
        occurred_at=NOW,
        first_name="Ada",
        last_name="Lovelace",
        date_of_birth=date(1990, 12, 10),
        timezone="Europe/London",
        send_at_local=DEFAULT_SEND_AT_LOCAL,
        leap_day_policy=LeapDayPolicy.FEB_28,
        first_date="2026-12-10",
    )
    event = structs.replace(default, **overrides)
    if "first_date" in overrides:
        return event
    decided = first_date(birthday_of(event), None, None, changed_at=event.occurred_at)
    return structs.replace(event, first_date=decided)


def user_deleted(user_id: UUID, *, version: int = 2, occurred_at: datetime = NOW) -> UserDeleted:
    """Return the event of a user's deletion."""
    return UserDeleted(user_id=user_id, version=version, occurred_at=occurred_at)


def occasion_added(**overrides: Any) -> OccasionAdded:  # noqa: ANN401 (as above)
    """Return the event of a new anniversary, a wedding on June 1; another type names its own fields."""
    default = OccasionAdded(
        occasion_id=uuid4(),
        user_id=uuid4(),
        version=1,
        occurred_at=NOW,
        type=OccasionType.ANNIVERSARY,
        first_date="2026-06-01",
        name="wedding",
        date=date(2019, 6, 1),
        send_at_local=DEFAULT_SEND_AT_LOCAL,
    )
    return structs.replace(default, **overrides)


def reminder_added(**overrides: Any) -> OccasionAdded:  # noqa: ANN401 (as above)
    """Return the event of a new reminder, every day at 08:00 from December 10 on."""
    default = OccasionAdded(
        occasion_id=uuid4(),
        user_id=uuid4(),
        version=1,
        occurred_at=NOW,
        type=OccasionType.REMINDER,
        first_date="2026-12-10",
        message="Water the plants",
        local_date_time=datetime(2026, 12, 10, 8),  # noqa: DTZ001 (local to its user)
        rrule="FREQ=DAILY",
    )
    return structs.replace(default, **overrides)


def notification_added(**overrides: Any) -> OccasionAdded:  # noqa: ANN401 (as above)
    """Return the event of a new notification, due at 09:00 UTC on December 10."""
    default = OccasionAdded(
        occasion_id=uuid4(),
        user_id=uuid4(),
        version=1,
        occurred_at=NOW,
        type=OccasionType.NOTIFICATION,
        first_date="2026-12-10",
        message="Your trial ends tomorrow",
        at=datetime(2026, 12, 10, 9, tzinfo=UTC),
    )
    return structs.replace(default, **overrides)


def occasion_removed(occasion: OccasionAdded, *, version: int = 2) -> OccasionRemoved:
    """Return the event of an occasion's removal."""
    return OccasionRemoved(
        occasion_id=occasion.occasion_id, user_id=occasion.user_id, version=version, occurred_at=NOW
    )


def birthday_due(**overrides: Any) -> BirthdayDue:  # noqa: ANN401 (as above)
    """Return a birthday that fell due, emitted on time; `occasion_id` follows from `user_id` unless given."""
    user_id = overrides.get("user_id") or uuid4()
    default = BirthdayDue(
        occasion_id=birthday_occasion_id(user_id),
        user_id=user_id,
        local_date=date(2026, 12, 10),
        local_time=time(9),
        timezone="Europe/London",
        due_at=datetime(2026, 12, 10, 9, 0, tzinfo=UTC),
        emitted_at=datetime(2026, 12, 10, 9, 0, tzinfo=UTC),
        late_by_seconds=0,
        priority=Priority.CRITICAL,
        message="Hey, Ada Lovelace it's your birthday",
    )
    return structs.replace(default, **overrides)
