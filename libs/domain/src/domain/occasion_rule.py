"""The rule of an occasion, from the state that events carry."""

from domain.events import OccasionState, UserState
from domain.kinds import kind_of
from domain.message_text import message_text
from domain.occasion import DEFAULT_SEND_AT_LOCAL, LeapDayPolicy, Notification, Reminder, Rule, Yearly


def birthday_of(state: UserState) -> Yearly:
    """Give what decides when a user's birthday rings."""
    return Yearly(
        date=state.date_of_birth,
        send_at_local=state.send_at_local,
        timezone=state.timezone,
        leap_day_policy=state.leap_day_policy,
    )


def policy_of(state: OccasionState, users: LeapDayPolicy) -> LeapDayPolicy:
    """Give the leap-day policy that an occasion's first date was decided under; if it tells none, its user's.

    Under another policy, the years from that first date on may have one that nobody promised.
    """
    return state.leap_day_policy or users


def rule_of(state: OccasionState, *, timezone: str, leap_day_policy: LeapDayPolicy) -> Rule:
    """Give what decides when an occasion rings, in its user's zone; their policy is for one that tells none.

    Raises ValueError for a state without what its type needs; the words to send are asked for here too, so
    that none is planned that could not be emitted.
    """
    message_text(state.type, first_name="", last_name="", name=state.name, message=state.message)
    rule = kind_of(state.type).rule
    if rule is Yearly and state.date is not None:
        return Yearly(
            date=state.date,
            send_at_local=state.send_at_local or DEFAULT_SEND_AT_LOCAL,
            timezone=timezone,
            leap_day_policy=policy_of(state, leap_day_policy),
        )
    if rule is Reminder and state.local_date_time is not None:
        return Reminder(
            local_date_time=state.local_date_time,
            rrule=state.rrule,
            last_date=state.last_date,
            timezone=timezone,
        )
    if rule is Notification and state.at is not None:
        return Notification(at=state.at, timezone=timezone)
    raise ValueError(f"{state.type} without what decides when it rings")
