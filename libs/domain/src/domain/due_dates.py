"""When occasions ring: dates first, instants derived from them."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice, takewhile
from typing import overload

from msgspec.structs import replace

from domain.due_date import FIRST_INSTANT, DueDate, local_instant
from domain.occasion import Notification, Reminder, Rule, Yearly
from domain.reminder_dates import notification_dates, reminder_dates
from domain.yearly_dates import is_leap_day, month_day, yearly_dates

__all__ = ["DueDate", "first_date", "local_instant", "next_due_at", "planned", "rung_date", "upcoming"]

_FORESEEN_YEARS = 400
_LAST_DATE = "9999-12-31"
# With it, a text comes right after the date's own: that one's instant is not worked out to be passed over.
_BEYOND = "~"

# A zone's clocks are within two days of UTC's, dates that it skipped included; a leap-day policy adds one.
_CLOCKS_APART = timedelta(days=4)

# Longer than any catch-up window, so that a date which the scheduler has yet to emit is never forgotten; far
# shorter than a year, so that no date of an earlier year comes back.
_STILL_OPEN = timedelta(days=30)


def next_due_at(rule: Rule, *, after: datetime) -> DueDate | None:
    """Give the first date due strictly after an instant; None where there is none, or the calendar ends.

    Nothing before a rule's own start rings; a yearly rule's own date counts. Raises UnknownZone, and
    ValueError for a naive `after`.
    """
    _refuse_naive(after)
    return next((due for due in _dates(rule, _named_near(after)) if due.due_at > after), None)


def planned(rule: Rule, *, first_date: str, after_date: str | None) -> DueDate | None:
    """Give the date to plan: the smallest admitted nominal date from `first_date` on and beyond `after_date`.

    `after_date` is the last date emitted, as `rung_date` gives it. The date may be due already: then it rings
    late, not never.
    It depends on no clock, and on no zone but for a notification's UTC date, which none moves: planning again
    gives the same date. None when nothing is left. Raises UnknownZone.
    """
    least = max(first_date, after_date or first_date)
    if after_date == least and isinstance(rule, Yearly):
        least += _BEYOND
    return next((due for due in _dates(rule, least) if _is_beyond(due, rule, after_date)), None)


def rung_date(rule: Rule, *, nominal_date: str, local_date: date) -> str:
    """Give what `after_date` becomes when a date has rung: its nominal date, or the day itself if later.

    A February 29 kept on March 1 has rung that day too, should the birthday turn out to be a March 1.
    """
    return max(nominal_date, local_date.isoformat()) if isinstance(rule, Yearly) else nominal_date


def upcoming(
    rule: Rule, *, first_date: str, after_date: str | None, now: datetime, count: int
) -> list[DueDate]:
    """Give the next `count` dates that will be planned, one after the other, and are due after `now`.

    Fewer where the rule ends, or comes to 400 years: what rings so rarely is not worth the search. Raises
    UnknownZone, and ValueError for a naive `now`.
    """
    _refuse_naive(now)
    least = max(first_date, after_date or first_date, _named_near(now))
    dates = takewhile(lambda due: due.local_date.year - now.year <= _FORESEEN_YEARS, _dates(rule, least))
    new = (due for due in dates if _is_beyond(due, rule, after_date) and due.due_at > now)
    return list(islice(new, count))


@overload
def first_date(new: Yearly, old: Rule | None, old_first_date: str | None, *, changed_at: datetime) -> str: ...
@overload
def first_date(
    new: Rule, old: Rule | None, old_first_date: str | None, *, changed_at: datetime
) -> str | None: ...
def first_date(
    new: Rule, old: Rule | None, old_first_date: str | None, *, changed_at: datetime
) -> str | None:
    """Decide, once for each change, the nominal date before which nothing rings; None if nothing ever will.

    - New, of another kind, or a reminder's or notification's rule is another: the next date after the change.
      A moment already past is next time's; a one-off's is none, but for a notification at that very instant.
    - A birthday's or an anniversary's rule is another: see `_yearly_first_date`.
    - Anything else (zone): unchanged, so that a pending date is neither lost nor repeated.

    Raises ValueError for a naive `changed_at`, UnknownZone. Beyond the calendar's end a yearly rule gives its
    last day.
    """
    _refuse_naive(changed_at)
    if old is not None and old_first_date is not None:
        if isinstance(new, Yearly) and isinstance(old, Yearly):
            return _yearly_first_date(new, old, old_first_date, changed_at)
        if new == replace(old, timezone=new.timezone):
            return old_first_date
    if isinstance(new, Yearly):
        return _next_name(new, changed_at)
    due = next_due_at(new, after=changed_at)
    if due is None and isinstance(new, Notification) and new.at == changed_at:
        due = planned(new, first_date=_named_near(changed_at), after_date=None)  # "now"
    return None if due is None else due.nominal_date


def _yearly_first_date(new: Yearly, old: Yearly, old_first_date: str, changed_at: datetime) -> str:
    """Decide it for a birthday or an anniversary.

    - Another month or day: as if new.
    - An earlier year: what the later one had put off is open, from the next date on.
    - Another leap-day policy, on February 29: the earlier of the date pending under the old policy and the
      next one under the new. The pending date rings even where the new policy puts it in the past: from
      `mar_1` to `feb_28` on February 28 at 10:00, at once. What rang before, `after_date` holds back.
    - Anything else (zone, time of day, a later year): unchanged, so that a pending date is neither lost nor
      repeated.
    """
    if month_day(new) != month_day(old):
        return _next_name(new, changed_at)
    if new.date < old.date:
        old = replace(old, date=new.date)
        old_first_date = min(old_first_date, _next_name(old, changed_at))
    if not is_leap_day(new.date) or new.leap_day_policy == old.leap_day_policy:
        return old_first_date
    since = max(changed_at, FIRST_INSTANT + 2 * _STILL_OPEN) - _STILL_OPEN  # no year 0 to look back into
    pending = _next_name(old, since)
    return min(max(pending, old_first_date), _next_name(new, changed_at))


def _next_name(rule: Yearly, after: datetime) -> str:
    due = next_due_at(rule, after=after)
    return _LAST_DATE if due is None else due.nominal_date


def _dates(rule: Rule, least: str) -> Iterator[DueDate]:
    """Give every date from a nominal date on, in order."""
    match rule:
        case Yearly():
            return yearly_dates(rule, least=least)
        case Reminder():
            return reminder_dates(rule, least=least)
        case Notification():
            return notification_dates(rule, least=least)


def _is_beyond(due: DueDate, rule: Rule, after_date: str | None) -> bool:
    """Tell whether a date, of those from `after_date` on, is one that has not rung.

    A birthday corrected from February 28 to 29, kept on the 28th, is the same day under another name.
    """
    if after_date is None:
        return True
    return due.nominal_date != after_date and not (
        isinstance(rule, Yearly) and due.local_date.isoformat() <= after_date
    )


def _named_near(instant: datetime) -> str:
    """Give a nominal date before that of any date due after an instant."""
    on = instant.date()
    return (on - _CLOCKS_APART if on - date.min > _CLOCKS_APART else date.min).isoformat()


def _refuse_naive(instant: datetime) -> None:
    if instant.utcoffset() is None:
        raise ValueError("an instant needs a zone: this datetime is naive")
