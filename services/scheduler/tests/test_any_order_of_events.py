"""Whatever happens to a user and in whatever order it is heard of, the rows keep to a few lines of rules."""

from collections.abc import Awaitable, Callable, Coroutine, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from domain.due_date import DueDate
from domain.due_dates import first_date, planned
from domain.events import (
    Event,
    OccasionChanged,
    OccasionRemoved,
    OccasionState,
    OccurrenceCompleted,
    UserBirthdayChanged,
    UserDeleted,
    UserNameChanged,
    UserState,
    UserTimezoneChanged,
)
from domain.ids import birthday_occasion_id
from domain.occasion import LeapDayPolicy, Rule, Yearly
from domain.occasion_rule import birthday_of, rule_of
from domain.recurrence import recurrence
from domain.yearly_dates import is_leap_day
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import structs
from runtime.database import Connection
from testkit import build

Plan = Callable[..., Coroutine[Any, Any, None]]
Emit = Callable[..., Awaitable[int]]
Hear = Callable[..., Awaitable[None]]
Rows = Callable[[], Coroutine[Any, Any, list[asyncpg.Record]]]

USER, BIRTHDAY = UUID(int=1 << 64), birthday_occasion_id(UUID(int=1 << 64))
OCCASIONS = [UUID(int=1 << 32), UUID(int=2 << 32)]
# On both sides of the date line, with midnights in a gap, and off the hour.
ZONES = ["Europe/London", "Pacific/Kiritimati", "Pacific/Honolulu", "Africa/Cairo", "Asia/Kathmandu"]
BORN = [date(1992, 2, 29), date(1990, 3, 1)]
HOUR = timedelta(hours=1)

times = st.sampled_from([time(0), time(0, 30), time(9), time(23, 59)])
# Around the end of February, of a leap year too.
instants = st.builds(
    lambda year, hours: datetime(year, 2, 26, 12, tzinfo=UTC) + hours * HOUR,
    st.integers(2027, 2028),
    st.integers(0, 120),
)


class Api:
    """What the user API tells of one user, by the domain's rules, and every state it was in."""

    def __init__(self, user: UserState) -> None:
        self.user: UserState = user
        self.occasions: dict[UUID, OccasionState] = {}
        self.gone: set[UUID] = set()

    def change_user(self, at: datetime, /, kind: type[UserState], **changes: object) -> Iterator[Event]:
        old = self.user
        new = kind(**structs.asdict(old) | changes | {"version": old.version + 1, "occurred_at": at})
        first = first_date(birthday_of(new), birthday_of(old), old.first_date, changed_at=at)
        self.user = structs.replace(new, first_date=first)
        yield self.user
        if self.user.leap_day_policy == old.leap_day_policy:
            return
        for occasion in [one for one in self.occasions.values() if one.leap_day_policy]:
            rules = rule_now(occasion, self.user), rule_now(occasion, old)
            decided = first_date(*rules, occasion.first_date, changed_at=at)
            yield self._keep(occasion, at, first_date=decided)

    def put_occasion(self, at: datetime, /, occasion_id: UUID, **fields: Any) -> Iterator[Event]:  # noqa: ANN401
        old = self.occasions.get(occasion_id)
        if occasion_id in self.gone:
            return
        if fields.get("rrule"):
            rrule, last_date = recurrence(fields["rrule"], fields["local_date_time"], self.user.timezone)
            fields |= {"rrule": rrule, "last_date": last_date}
        new = OccasionState(
            occasion_id=occasion_id,
            user_id=USER,
            version=old.version if old else 0,
            occurred_at=at,
            first_date="",
            **fields,
        )
        old_rule, old_first = (rule_now(old, self.user), old.first_date) if old else (None, None)
        new_rule = rule_now(new, self.user)
        decided = first_date(new_rule, old_rule, old_first, changed_at=at)
        if decided is not None:
            yield self._keep(new, at, first_date=decided)

    def remove_occasion(self, at: datetime, /, occasion_id: UUID) -> Iterator[Event]:
        if old := self.occasions.pop(occasion_id, None):
            self.gone.add(occasion_id)
            yield OccasionRemoved(
                occasion_id=occasion_id, user_id=USER, version=old.version + 1, occurred_at=at
            )

    def _keep(self, state: OccasionState, at: datetime, **changes: object) -> OccasionState:
        told = structs.asdict(state) | changes | {"version": state.version + 1, "occurred_at": at}
        of_leap_day = state.date is not None and is_leap_day(state.date)
        told["leap_day_policy"] = self.user.leap_day_policy if of_leap_day else None
        self.occasions[state.occasion_id] = OccasionChanged(**told)
        return self.occasions[state.occasion_id]


def rule(occasion: OccasionState, user: UserState) -> Rule:
    return rule_of(occasion, timezone=user.timezone, leap_day_policy=user.leap_day_policy)


def rule_now(occasion: OccasionState, user: UserState) -> Rule:
    """Give it by the user's policy of now, whichever its newest event told."""
    return rule(structs.replace(occasion, leap_day_policy=None), user)


class Rules:
    """What is planned and has rung, by the rules alone: of each the newest state, never a date twice."""

    def __init__(self) -> None:
        self.user: UserState | UserDeleted | None = None
        self.occasions: dict[UUID, OccasionState | OccasionRemoved] = {}
        self.rung: list[tuple[UUID, str, date]] = []
        self.after: dict[UUID, str] = {}

    def hear(self, event: Event) -> None:
        match event:
            case UserState() | UserDeleted():
                self.user = max(self.user or event, event, key=lambda it: it.version)
            case OccasionState() | OccasionRemoved():
                known = self.occasions.get(event.occasion_id, event)
                self.occasions[event.occasion_id] = max(known, event, key=lambda it: it.version)
            case _:
                raise TypeError(event)

    def rules(self) -> dict[UUID, tuple[Rule, str]]:
        if not isinstance(self.user, UserState):
            return {}
        rules: dict[UUID, tuple[Rule, str]] = {BIRTHDAY: (birthday_of(self.user), self.user.first_date)}
        for occasion_id, state in self.occasions.items():
            if isinstance(state, OccasionState):
                rules[occasion_id] = rule(state, self.user), state.first_date
        return rules

    def planned(self) -> dict[UUID, DueDate]:
        dates = {
            one: planned(it, first_date=first, after_date=self.after.get(one))
            for one, (it, first) in self.rules().items()
        }
        return {one: due for one, due in dates.items() if due}

    def look(self, now: datetime) -> None:
        for occasion_id, due in self.planned().items():
            if due.due_at <= now:
                self.rung.append((occasion_id, due.nominal_date, due.local_date))
                days = [due.nominal_date]
                if isinstance(self.rules()[occasion_id][0], Yearly):
                    days.append(due.local_date.isoformat())
                self.after[occasion_id] = max(days)


def calls(method: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(st.just(method), st.fixed_dictionaries(arguments))


changes = st.one_of(
    calls("change_user", kind=st.just(UserTimezoneChanged), timezone=st.sampled_from(ZONES)),
    calls("change_user", kind=st.just(UserNameChanged), first_name=st.sampled_from(["Ada", "Augusta"])),
    calls("change_user", kind=st.just(UserBirthdayChanged), leap_day_policy=st.sampled_from(LeapDayPolicy)),
    calls(
        "change_user",
        kind=st.just(UserBirthdayChanged),
        date_of_birth=st.sampled_from(BORN),
        send_at_local=times,
    ),
    calls(
        "put_occasion",
        occasion_id=st.sampled_from(OCCASIONS),
        type=st.just("ANNIVERSARY"),
        name=st.just("wedding"),
        date=st.sampled_from(BORN),
        send_at_local=times,
    ),
    calls(
        "put_occasion",
        occasion_id=st.sampled_from(OCCASIONS),
        type=st.just("REMINDER"),
        message=st.sampled_from(["Water the plants", "Water them now"]),
        local_date_time=st.builds(datetime.combine, st.just(date(2027, 2, 27)), times),
        rrule=st.sampled_from([None, "FREQ=DAILY;COUNT=3", "FREQ=YEARLY", "FREQ=MONTHLY;BYMONTHDAY=-1"]),
    ),
    calls(
        "put_occasion",
        occasion_id=st.sampled_from(OCCASIONS),
        type=st.just("NOTIFICATION"),
        message=st.just("Doors open"),
        at=instants,
    ),
    calls("remove_occasion", occasion_id=st.sampled_from(OCCASIONS)),
)


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """Draw what the API tells of a user, in order of time."""
    created = build.user_created(
        user_id=USER,
        occurred_at=datetime(2026, 6, 1, tzinfo=UTC),
        date_of_birth=draw(st.sampled_from(BORN)),
        timezone=draw(st.sampled_from(ZONES)),
        leap_day_policy=draw(st.sampled_from(LeapDayPolicy)),
    )
    api = Api(created)
    told: list[Event] = [created]
    for at in sorted(draw(st.lists(instants, min_size=2, max_size=8))):
        method, arguments = draw(changes)
        told += getattr(api, method)(at, **arguments)
    if draw(st.integers(0, 4)) == 0:
        told.append(build.user_deleted(USER, version=99))
    return told


@st.composite
def scripts(draw: st.DrawFn) -> list[list[Event] | datetime]:
    """Draw how it reaches a scheduler: in any order, twice, in batches, between looks at what is due."""
    told = draw(lives())
    heard = draw(st.permutations([*told, *draw(st.lists(st.sampled_from(told), max_size=3))]))
    looks = sorted(draw(st.lists(instants, min_size=2, max_size=6)))
    script: list[list[Event] | datetime] = []
    while heard or looks:
        if looks and (not heard or draw(st.booleans())):
            script.append(looks.pop(0))
        else:
            size = draw(st.integers(1, 3))
            script.append(heard[:size])
            heard = heard[size:]
    return script


def a_policy_overtaking_its_occasion() -> list[list[Event] | datetime]:
    """Script years skipped after a leap day rang, then kept: only the user's event tells that at first."""
    created = build.user_created(
        user_id=USER,
        occurred_at=datetime(2023, 6, 1, tzinfo=UTC),
        date_of_birth=BORN[1],
        leap_day_policy=LeapDayPolicy.SKIP,
    )
    api, rings, at = Api(created), datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(2027, 3, 2, tzinfo=UTC)
    wedding = {"type": "ANNIVERSARY", "name": "wedding", "date": BORN[0], "send_at_local": time(9)}
    told = [created, *api.put_occasion(created.occurred_at, OCCASIONS[0], **wedding)]
    of_user, of_occasion = api.change_user(at, UserBirthdayChanged, leap_day_policy=LeapDayPolicy.FEB_28)
    return [told, rings, [of_user], at + HOUR, [of_occasion], at + 2 * HOUR]


def promises(state: OccasionState, nominal_date: str) -> bool:
    """Tell whether a date is one of an occasion by what one event told of it, whatever else was heard."""
    told = rule_of(state, timezone="UTC", leap_day_policy=state.leap_day_policy or LeapDayPolicy.FEB_28)
    due = planned(told, first_date=max(state.first_date, nominal_date), after_date=None)
    return due is not None and due.nominal_date == nominal_date


FORGET = """
    DELETE FROM schedule.users; DELETE FROM schedule.occasions; DELETE FROM schedule.occurrences;
    DELETE FROM schedule.history; DELETE FROM outbox.messages
"""
PROCESSING = "SELECT event_id, user_id, due_at FROM schedule.occurrences WHERE status = 'PROCESSING'"
RANG = """
    SELECT occasion_id, nominal_date, local_date FROM schedule.occurrences WHERE status = 'PROCESSING'
    UNION ALL
    SELECT occasion_id, nominal_date, local_date FROM schedule.history WHERE status <> 'CANCELLED'
"""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=scripts(), answered=st.booleans())
@example(script=a_policy_overtaking_its_occasion(), answered=False)
async def test_planned_and_rung_are_what_the_rules_say_whatever_is_heard_when(
    plan: Plan,
    emit: Emit,
    hear: Hear,
    pending: Rows,
    admin: Connection,
    script: list[list[Event] | datetime],
    *,
    answered: bool,
) -> None:
    await admin.execute(FORGET)
    rules = Rules()

    for heard_or_look in script:
        match heard_or_look:
            case datetime() as now:
                rules.look(now)
                await emit(now)
                if answered:
                    await hear(*map(completed, await admin.fetch(PROCESSING)))
            case events:
                for event in events:
                    rules.hear(event)
                await plan(*events)
        rows = {row["occasion_id"]: (row["nominal_date"], row["due_at"]) for row in await pending()}
        assert rows == {one: (due.nominal_date, due.due_at) for one, due in rules.planned().items()}

    rang = [tuple(row) for row in await admin.fetch(RANG)]
    assert sorted(rang) == sorted(rules.rung)
    assert len(rang) == len({(occasion_id, nominal_date) for occasion_id, nominal_date, _ in rang})
    birthdays = [local_date for occasion_id, _, local_date in rang if occasion_id == BIRTHDAY]
    assert len(birthdays) == len(set(birthdays))
    told = [event for events in script if not isinstance(events, datetime) for event in events]
    states = [event for event in told if isinstance(event, OccasionState)]
    for occasion_id, nominal_date, _ in rang:
        own = [state for state in states if state.occasion_id == occasion_id]
        assert occasion_id == BIRTHDAY or any(promises(state, nominal_date) for state in own)
    before = await pending()
    await plan(*told)
    assert before == await pending()


def completed(row: asyncpg.Record) -> OccurrenceCompleted:
    return OccurrenceCompleted(
        due_event_id=row["event_id"], user_id=row["user_id"], occurred_at=row["due_at"], results=()
    )
