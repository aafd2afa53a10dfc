"""What a client may say of a user, as JSON Schema: exactly what parse_user.py takes."""

from datetime import UTC, date, datetime, time
from uuid import UUID

import msgspec
from domain.occasion import DEFAULT_SEND_AT_LOCAL, LeapDayPolicy
from domain.zones import zone_names

from user_api.operation_parts import USER_ID
from user_api.operations import Component, Schema
from user_api.parse_fields import (
    DATE_PATTERN,
    EMAIL_PATTERN,
    LINE_PATTERN,
    LOCAL_TIME_PATTERN,
    MOST_EMAIL,
    MOST_NAME,
)
from user_api.parse_user import OPTIONAL, REQUIRED, SET_BY_US
from user_api.user import Details, User, answer_of

TIME_ZONE = Component(
    "TimeZone",
    {"type": "string", "description": "The name of an IANA time zone.", "enum": sorted(zone_names())},
)
_NAME = {"type": "string", "minLength": 1, "maxLength": MOST_NAME, "pattern": LINE_PATTERN}
IGNORED = {"description": "As answered; it is not changed by sending another."}

EMAIL = {"type": "string", "maxLength": MOST_EMAIL, "pattern": EMAIL_PATTERN}

FIELDS: dict[str, Schema | Component] = {
    "firstName": {"description": "Outer spaces are cut.", **_NAME},
    "lastName": {"description": "Outer spaces are cut.", **_NAME},
    "dateOfBirth": {
        "type": "string",
        "description": "YYYY-MM-DD, not after today where the user lives. Any year: address books write 1604 "
        "for one that is not known.",
        "format": "date",
        "pattern": DATE_PATTERN,
    },
    "timezone": TIME_ZONE,
    "email": {
        **EMAIL,
        "type": ["string", "null"],
        "description": "No two users have the same. Outer spaces are cut.",
    },
    "sendAtLocal": {
        "type": ["string", "null"],
        "description": "When the birthday rings, local time in `timezone`: HH:MM or HH:MM:SS.",
        "pattern": LOCAL_TIME_PATTERN,
        "default": DEFAULT_SEND_AT_LOCAL.isoformat("minutes"),
    },
    "leapDayPolicy": {
        "description": "When a birthday of February 29 rings in other years.",
        "enum": [*LeapDayPolicy, None],
        "default": LeapDayPolicy.FEB_28,
    },
}

NEW_USER = Component(
    "NewUser",
    {
        "type": "object",
        "description": "A user to be made; `null` is the same as left out.",
        "properties": {field: FIELDS[field] for field in (*REQUIRED, *OPTIONAL)},
        "required": list(REQUIRED),
        "additionalProperties": False,
    },
)
CHANGED_USER = Component(
    "ChangedUser",
    {
        **NEW_USER.schema,
        "description": "A user as they shall be: what is left out or `null` gets its default. An answer may "
        "be sent back whole; the `id`, if sent, is that of the address.",
        "properties": {**NEW_USER.schema["properties"], **dict.fromkeys(sorted(SET_BY_US), IGNORED)},
    },
)

USER_PATCH = Component(
    "UserPatch",
    {
        **CHANGED_USER.schema,
        "description": "A JSON Merge Patch (RFC 7396): what is left out stays, `null` sets the default.",
        "required": [],
    },
)

EXAMPLES = {
    "in full": {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "dateOfBirth": "1815-12-10",
        "timezone": "Europe/London",
        "email": "ada@example.com",
        "sendAtLocal": "08:30",
        "leapDayPolicy": "feb_28",
    },
    "in short": {
        "firstName": "Haruki",
        "lastName": "Murakami",
        "dateOfBirth": "1949-01-12",
        "timezone": "Asia/Tokyo",
    },
}
PATCH_EXAMPLES = {
    "moved": {"timezone": "Asia/Tokyo"},
    "without address": {"email": None},
}
ANSWER_EXAMPLE = msgspec.to_builtins(
    answer_of(
        User(
            id=UUID(USER_ID),
            version=1,
            details=Details(
                first_name="Ada",
                last_name="Lovelace",
                date_of_birth=date(1815, 12, 10),
                timezone="Europe/London",
                email="ada@example.com",
                send_at_local=time(8, 30),
                leap_day_policy=LeapDayPolicy.FEB_28,
            ),
            first_date="2026-12-10",
            created_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
            updated_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        )
    )
)
