from datetime import UTC, date, datetime, time
from uuid import UUID

import msgspec
import pytest
from domain.events import (
    EVENT_TYPES,
    BirthdayDue,
    DeliveryResult,
    Event,
    OccasionAdded,
    OccurrenceFailed,
    UserCreated,
    UserDeleted,
    schema_id,
    type_name,
)
from domain.kinds import KINDS
from domain.occasion import LeapDayPolicy
from domain.priority import Priority

USER = UUID("0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61")
OTHER = UUID("361d85da-f011-5fe2-be64-ee554857ab70")
CREATED = UserCreated(
    user_id=USER,
    version=1,
    occurred_at=datetime(2026, 11, 22, 14, 5, 9, tzinfo=UTC),
    first_name="John",
    last_name="Doe",
    date_of_birth=date(1992, 2, 29),
    timezone="Asia/Tokyo",
    send_at_local=time(9),
    leap_day_policy=LeapDayPolicy.FEB_28,
    first_date="2027-02-29",
)


def test_the_event_types_of_this_release() -> None:
    expected = [
        "UserCreated",
        "UserBirthdayChanged",
        "UserTimezoneChanged",
        "UserNameChanged",
        "UserDeleted",
        "OccasionAdded",
        "OccasionChanged",
        "OccasionRemoved",
        *(kind.due_event.event_type for kind in KINDS.values()),
        "OccurrenceScheduled",
        "OccurrenceCompleted",
        "OccurrenceFailed",
        "OccurrenceProgress",
        "OccurrenceExpired",
        "EndpointDisabled",
        "DeadLettered",
    ]
    assert expected == list(EVENT_TYPES)
    assert expected == [event.event_type for event in EVENT_TYPES.values()]


def test_a_class_with_a_version_in_its_name_is_that_version_of_its_event_type() -> None:
    class UserVanishedV12(Event, frozen=True):
        """Some event."""

    expected = ("UserVanished", "carillon.UserVanished.v12", "urn:carillon:event:UserVanished:v12")
    named = UserVanishedV12.event_type, type_name(UserVanishedV12), schema_id(UserVanishedV12)
    assert expected == named


def test_an_event_type_knows_its_names() -> None:
    expected = ("UserCreated", "carillon.UserCreated.v1", "urn:carillon:event:UserCreated:v1")
    assert expected == (UserCreated.event_type, type_name(UserCreated), schema_id(UserCreated))
    assert expected[0] == CREATED.event_type


def test_on_the_wire_names_are_camel_case_instants_utc_and_times_whole_seconds() -> None:
    expected = {
        "userId": "0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61",
        "version": 1,
        "occurredAt": "2026-11-22T14:05:09Z",
        "firstName": "John",
        "lastName": "Doe",
        "dateOfBirth": "1992-02-29",
        "timezone": "Asia/Tokyo",
        "sendAtLocal": "09:00:00",
        "leapDayPolicy": "feb_28",
        "firstDate": "2027-02-29",
    }
    assert expected == msgspec.json.decode(msgspec.json.encode(CREATED))


def test_a_due_birthday_carries_all_that_a_receiver_needs() -> None:
    due = BirthdayDue(
        occasion_id=OTHER,
        user_id=USER,
        local_date=date(2027, 2, 28),
        local_time=time(9),
        timezone="Asia/Tokyo",
        due_at=datetime(2027, 2, 28, tzinfo=UTC),
        emitted_at=datetime(2027, 2, 28, 0, 0, 7, tzinfo=UTC),
        late_by_seconds=7,
        priority=Priority.CRITICAL,
        message="Hey, John Doe it's your birthday",
    )
    expected = {
        "occasionId": "361d85da-f011-5fe2-be64-ee554857ab70",
        "userId": "0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61",
        "localDate": "2027-02-28",
        "localTime": "09:00:00",
        "timezone": "Asia/Tokyo",
        "dueAt": "2027-02-28T00:00:00Z",
        "emittedAt": "2027-02-28T00:00:07Z",
        "lateBySeconds": 7,
        "priority": "critical",
        "message": "Hey, John Doe it's your birthday",
    }
    assert expected == msgspec.json.decode(msgspec.json.encode(due))


def test_an_occasion_tells_only_what_its_type_needs() -> None:
    added = OccasionAdded(
        occasion_id=OTHER,
        user_id=USER,
        version=1,
        occurred_at=datetime(2026, 11, 22, 14, 5, 9, tzinfo=UTC),
        type="REMINDER",
        first_date="2026-11-23",
        message="Water the plants",
        local_date_time=datetime(2026, 11, 23, 18),  # noqa: DTZ001 - local
    )
    expected = {
        "occasionId": "361d85da-f011-5fe2-be64-ee554857ab70",
        "userId": "0192d5f0-5b1e-7c3a-9f1d-3a5e8c2b4d61",
        "version": 1,
        "occurredAt": "2026-11-22T14:05:09Z",
        "type": "REMINDER",
        "firstDate": "2026-11-23",
        "message": "Water the plants",
        "localDateTime": "2026-11-23T18:00:00",
    }
    assert expected == msgspec.json.decode(msgspec.json.encode(added))
    assert added == msgspec.json.decode(msgspec.json.encode(added), type=OccasionAdded)


def test_an_anniversary_of_a_leap_day_tells_the_policy_of_its_first_date() -> None:
    added = OccasionAdded(
        occasion_id=OTHER,
        user_id=USER,
        version=1,
        occurred_at=datetime(2026, 11, 22, 14, 5, 9, tzinfo=UTC),
        type="ANNIVERSARY",
        first_date="2027-02-29",
        name="wedding",
        date=date(2020, 2, 29),
        leap_day_policy=LeapDayPolicy.MAR_1,
    )
    told = msgspec.json.encode(added)
    assert msgspec.json.decode(told)["leapDayPolicy"] == "mar_1"
    assert added == msgspec.json.decode(told, type=OccasionAdded)


def test_a_delivered_result_gives_no_reason() -> None:
    failed = OccurrenceFailed(
        due_event_id=OTHER,
        user_id=USER,
        occurred_at=datetime(2027, 3, 1, tzinfo=UTC),
        results=(
            DeliveryResult(endpoint_id=OTHER, status="delivered", attempts=1),
            DeliveryResult(endpoint_id=USER, status="failed", attempts=10, reason="HTTP 503"),
        ),
        reason="1 of 2 endpoints failed",
    )
    wire = msgspec.json.decode(msgspec.json.encode(failed))
    expected = [
        {"endpointId": str(OTHER), "status": "delivered", "attempts": 1},
        {"endpointId": str(USER), "status": "failed", "attempts": 10, "reason": "HTTP 503"},
    ]
    assert expected == wire["results"]
    assert failed == msgspec.json.decode(msgspec.json.encode(failed), type=OccurrenceFailed)


def test_a_field_added_by_a_later_release_is_ignored() -> None:
    deleted = UserDeleted(user_id=USER, version=5, occurred_at=datetime(2026, 11, 26, 8, tzinfo=UTC))
    wire = msgspec.json.decode(msgspec.json.encode(deleted)) | {"deletedBy": "an admin"}
    assert deleted == msgspec.convert(wire, UserDeleted)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("occurredAt", "2026-11-22T14:05:09"),
        ("sendAtLocal", "09:00:00Z"),
        ("version", 0),
        ("firstName", ""),
        ("firstDate", "2027-2-29"),
        ("leapDayPolicy", "feb_30"),
    ],
)
def test_a_state_that_breaks_the_contract_is_not_decoded(field: str, value: object) -> None:
    wire = msgspec.json.decode(msgspec.json.encode(CREATED)) | {field: value}
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert(wire, UserCreated)
