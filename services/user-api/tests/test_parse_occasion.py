import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid4

import pytest
from domain.kinds import KINDS
from domain.priority import Priority
from hypothesis import given, settings
from hypothesis import strategies as st
from testkit import build
from user_api.occasion import OccasionDetails
from user_api.parse_occasion import NO_IDS, parse_occasion
from user_api.refusals import InvalidInputError, OtherIdError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BODIES = {
    "ANNIVERSARY": build.anniversary_body(),
    "REMINDER": build.reminder_body(rrule="FREQ=DAILY"),
    "NOTIFICATION": build.notification_body(),
}
NOT_TEXT: list[Any] = [1, 1.5, True, [], {}, 10**400]
NOT_A_LINE = ["", "  ", "\u200b", "a\u0000b", "a\nb", "a\u2028b", "\ud800"]
BAD: dict[str, list[str]] = {
    "name": [*NOT_A_LINE, "a" * 101],
    "message": [*NOT_A_LINE, "a" * 1001],
    "date": ["", "2001-02-29", "0000-01-01", "20010101", "2001-01-01T10:00", " "],
    "sendAtLocal": ["", "9:00", "24:00", "09:00:60", "09:00Z"],
    "localDateTime": [
        *("", "2100-01-01", "2100-01-01 10:00", "2100-01-01T24:00", "2100-02-29T10:00", "0000-01-01T10:00"),
        *("2100-01-01T10:00Z", "2100-01-01T10:00:00.5", "2100-01-01T10", "2100-01-01t10:00"),
    ],
    "rrule": [
        "",
        "DAILY",
        "FREQ=HOURLY",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "\ud800",
    ],
    "at": [
        *("", "NOW", "2100-01-01T10:00:00", "2100-01-01", "2100-01-01T10:00Z", "2100-02-29T10:00:00Z"),
        *("2100-01-01T10:00:60Z", "2100-01-01T10:00:00+24:00", "9999-12-31T23:59:59-01:00", "4102480800"),
    ],
    "priority": ["", "urgent", "HIGH"],
}
OF_TYPE = {
    "ANNIVERSARY": ["name", "date", "sendAtLocal", "priority"],
    "REMINDER": ["name", "message", "localDateTime", "rrule", "priority"],
    "NOTIFICATION": ["name", "message", "at", "priority"],
}
REQUIRED = {
    "ANNIVERSARY": ["name", "date"],
    "REMINDER": ["message", "localDateTime"],
    "NOTIFICATION": ["message", "at"],
}


def _parsed(body: object, ids: Mapping[str, UUID] = NO_IDS) -> OccasionDetails:
    return parse_occasion(
        json.dumps(body).encode(), now=NOW, send_at_local=dict.fromkeys(KINDS, time(9)), ids=ids
    )


def _faults(body: object, ids: Mapping[str, UUID] = NO_IDS) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as refused:
        _parsed(body, ids)
    return {fault.field: fault.reason for fault in refused.value.problems}


def test_every_type_is_read() -> None:
    assert _parsed(build.anniversary_body(name=" wedding ", priority="critical")) == OccasionDetails(
        type="ANNIVERSARY",
        name="wedding",
        date=date(2019, 6, 1),
        send_at_local=time(9),
        priority=Priority.CRITICAL,
    )
    assert _parsed(build.reminder_body(localDateTime="2100-01-01T10:00:30", name="break")) == OccasionDetails(
        type="REMINDER",
        name="break",
        message="Take a break",
        local_date_time=datetime(2100, 1, 1, 10, 0, 30),  # noqa: DTZ001 - local
    )
    assert _parsed(build.notification_body(at="2100-01-01t10:00:00.123456789+02:00")) == OccasionDetails(
        type="NOTIFICATION",
        message="Doors open",
        at=datetime(2100, 1, 1, 8, 0, 0, 123456, tzinfo=UTC),
    )
    assert _parsed(build.notification_body(at="now")).at is None


@pytest.mark.parametrize("kind", BODIES)
def test_a_bad_a_missing_and_a_foreign_field_is_named(kind: str) -> None:
    for field in OF_TYPE[kind]:
        for value in [*BAD[field], *NOT_TEXT]:
            assert _faults({**BODIES[kind], field: value}).keys() == {field}, value
    for field in REQUIRED[kind]:
        for left_out in (
            {**BODIES[kind], field: None},
            {k: v for k, v in BODIES[kind].items() if k != field},
        ):
            assert _faults(left_out) == {field: "is missing"}
    for field in BAD.keys() - OF_TYPE[kind]:
        assert _parsed({**BODIES[kind], field: None}) == _parsed(BODIES[kind])
        reason = _faults({**BODIES[kind], field: BAD[field][0]})[field]
        assert reason.startswith(("is not a field of a", "is not a field of an"))
        assert kind.lower() in reason


@pytest.mark.parametrize("kind", [None, "", "BIRTHDAY", "anniversary", 1])
def test_a_type_that_a_client_cannot_create_is_named_beside_what_else_is_at_fault(kind: object) -> None:
    assert _faults({"type": kind, "message": "\n", "at": "soon", "name": "fine"}).keys() == {
        "type",
        "message",
        "at",
    }


def test_a_reminder_and_a_notification_have_their_own_time() -> None:
    for body in (build.reminder_body(sendAtLocal="09:00"), build.notification_body(sendAtLocal="09:00")):
        assert _faults(body)["sendAtLocal"].endswith(", which has a time of its own")


def test_a_moment_in_the_past_is_named_beside_other_faults_and_left_to_the_database_alone() -> None:
    past = {"localDateTime": "2026-02-28T23:59", "message": None}
    assert _faults(build.reminder_body(**past)).keys() == {"message", "localDateTime"}
    # In the last zone on earth it may be still to come; and a rule goes on.
    assert _faults(build.reminder_body(**past, rrule="FREQ=DAILY")).keys() == {"message"}
    assert _faults(build.reminder_body(**{**past, "localDateTime": "2026-03-01T00:00"})).keys() == {"message"}
    assert _faults(build.notification_body(at="2026-03-01T11:59:59Z", name=1)).keys() == {"name", "at"}
    assert _parsed(build.notification_body(at="2026-03-01T11:59:59Z")).at is not None


def test_a_rule_is_checked_though_its_start_is_at_fault() -> None:
    body = build.reminder_body(localDateTime="soon", rrule="FREQ=HOURLY")
    assert _faults(body).keys() == {"localDateTime", "rrule"}
    assert _faults(build.reminder_body(localDateTime="soon", rrule="FREQ=DAILY")).keys() == {"localDateTime"}


def test_what_is_set_by_us_and_what_is_unknown_is_named() -> None:
    ids = {"id": uuid4(), "userId": uuid4()}
    read_back = {"id": str(ids["id"]), "userId": str(ids["userId"]).upper(), "version": 1, "createdAt": "x"}

    assert _faults({**BODIES["REMINDER"], **read_back, "colour": 1}) == {
        "colour": "is not a field of an occasion",
        **dict.fromkeys(read_back, "is set by Carillon"),
    }
    assert _parsed({**BODIES["REMINDER"], **read_back}, ids=ids) == _parsed(BODIES["REMINDER"])
    for field in ids:
        with pytest.raises(OtherIdError, match=field):
            _parsed({**BODIES["REMINDER"], **read_back, field: str(uuid4())}, ids=ids)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet=st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(sorted(BAD)), inner),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(sorted(BODIES)), field=st.sampled_from(sorted(BAD)), value=JSON)
def test_no_value_at_all_breaks_the_reader(kind: str, field: str, value: object) -> None:
    try:
        _parsed({**BODIES[kind], field: value})
    except InvalidInputError as refused:
        assert {fault.field for fault in refused.problems} == {field}  # noqa: PT017 - either is fine
