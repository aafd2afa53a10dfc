"""What is decided once, when an occasion's rule is set, and kept: its first date, its last, and its end."""

from datetime import datetime
from typing import assert_never

from domain.due_dates import first_date, local_instant, planned
from domain.events import OccasionChanged
from domain.kinds import kind_of
from domain.occasion import LocalDate, Notification, Reminder, Rule, Yearly
from domain.occasion_rule import rule_of
from msgspec.structs import replace

from user_api import parse_occasion_fields as read
from user_api.occasion import Occasion, OccasionDetails, Owner
from user_api.occasion_events import state_of
from user_api.parse_fields import FieldError
from user_api.parse_occasion import PAST_INSTANT, PAST_LOCAL_TIME
from user_api.refusals import FieldProblem, InvalidInputError

UNDECIDED = ""
HAS_RUNG = FieldProblem("localDateTime", "leaves only a day on which it has rung already")
NO_DATE_LEFT = FieldProblem("rrule", "has no date that is still to come")


def settled(
    described: OccasionDetails, owner: Owner, now: datetime
) -> tuple[OccasionDetails, LocalDate | None]:
    """Settle what a description leaves to the owner's zone and the clock: "now", and a rule's end.

    Gives the rule's last local date as well. Raises InvalidInputError for a rule that, in that zone, ends
    before it begins.
    """
    if kind_of(described.type).rule is Notification:
        return replace(described, at=described.at or now), None
    if described.rrule is None or described.local_date_time is None:
        return described, None
    try:
        rrule, last_date = read.rrule(described.rrule, described.local_date_time, owner.timezone)
    except FieldError as error:
        raise InvalidInputError([FieldProblem("rrule", str(error))]) from None
    return replace(described, rrule=rrule), last_date


def with_first_date(occasion: Occasion, old: Occasion | None, owner: Owner) -> Occasion:
    """Decide from when on an occasion rings that was created, or changed from `old`, when it says.

    Raises InvalidInputError for one that would never ring.
    """
    rule, old_rule = rule_in(occasion, owner), rule_in(old, owner) if old else None
    old_first_date = old.first_date if old else None
    decided = first_date(rule, old_rule, old_first_date, changed_at=occasion.updated_at)
    if decided is None:
        raise InvalidInputError([_why_never(occasion.details)])
    if old_rule != rule and old_rule is not None and old_first_date is not None:
        # A date rings once, whatever the time: the last one left may have rung under the old rule.
        rang = planned(old_rule, first_date=max(decided, old_first_date), after_date=None)
        others = planned(rule, first_date=decided, after_date=decided)
        if others is None and rang and rang.nominal_date == decided and rang.due_at <= occasion.updated_at:
            raise InvalidInputError([HAS_RUNG])
    return replace(occasion, first_date=decided)


def rule_in(occasion: Occasion, owner: Owner) -> Rule:
    """Give all that decides when an occasion rings."""
    state = state_of(occasion, owner, OccasionChanged)
    return rule_of(state, timezone=owner.timezone, leap_day_policy=owner.leap_day_policy)


def ends_at(rule: Rule) -> datetime | None:
    """Give the instant after which nothing rings; None where there is always another date."""
    match rule:
        case Yearly():
            return None
        case Notification(at=at):
            return at
        case Reminder(local_date_time=local, rrule=None, timezone=timezone):
            return local_instant(local.date(), local.time(), timezone)
        case Reminder(local_date_time=local, last_date=last_date, timezone=timezone):
            return None if last_date is None else local_instant(last_date, local.time(), timezone)
        case _:
            assert_never(rule)


def _why_never(details: OccasionDetails) -> FieldProblem:
    if details.rrule is not None:
        return NO_DATE_LEFT
    return PAST_LOCAL_TIME if details.at is None else PAST_INSTANT
