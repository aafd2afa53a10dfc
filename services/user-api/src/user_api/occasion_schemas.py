"""What a client may say of an occasion, as JSON Schema: what parse_occasion.py takes."""

from datetime import UTC, date, datetime, time
from uuid import UUID

import msgspec
from domain.kinds.anniversary import ANNIVERSARY
from domain.occasion import DEFAULT_SEND_AT_LOCAL
from domain.priority import Priority

from user_api.occasion import Occasion, OccasionDetails
from user_api.occasion_answer import occasion_answer
from user_api.occasion_fields import FIELDS
from user_api.operation_parts import OCCASION_ID, USER_ID
from user_api.operations import Component, Schema
from user_api.parse_fields import DATE_PATTERN, LINE_PATTERN, LOCAL_TIME_PATTERN, MOST_NAME
from user_api.parse_occasion import PARSERS, SET_BY_US
from user_api.parse_occasion_fields import INSTANT_PATTERN, LOCAL_DATE_TIME_PATTERN, MOST_MESSAGE, NOW
from user_api.user_schemas import IGNORED

_LINE = {"type": "string", "minLength": 1, "pattern": LINE_PATTERN}
PROPERTIES: dict[str, Schema] = {
    "name": {"description": "Outer spaces are cut.", **_LINE, "maxLength": MOST_NAME},
    "message": {
        "description": "What is said when it rings. Outer spaces are cut.",
        **_LINE,
        "maxLength": MOST_MESSAGE,
    },
    "date": {
        "type": "string",
        "description": "The first one, YYYY-MM-DD: it comes round every year from then on.",
        "format": "date",
        "pattern": DATE_PATTERN,
    },
    "sendAtLocal": {
        "type": "string",
        "description": f"When it rings, local time; {DEFAULT_SEND_AT_LOCAL.isoformat('minutes')} unless "
        f"given.",
        "pattern": LOCAL_TIME_PATTERN,
    },
    "localDateTime": {
        "type": "string",
        "description": "When it rings in the user's time zone, first or only: YYYY-MM-DDTHH:MM, with :SS if "
        "you like.",
        "format": "date-time-local",
        "pattern": LOCAL_DATE_TIME_PATTERN,
    },
    "rrule": {
        "type": "string",
        "description": "A recurrence rule (RFC 5545 §3.3.10), daily or rarer: FREQ, INTERVAL, COUNT or "
        "UNTIL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, WKST. Without one the reminder rings once.",
        "format": "recurrence-rule",
    },
    "at": {
        "type": "string",
        "description": "An instant with its offset, not in the past, or `now`.",
        "anyOf": [{"const": NOW}, {"format": "date-time", "pattern": INSTANT_PATTERN}],
    },
    "priority": {
        "description": "How urgent it is; that of its type unless given.",
        "enum": [str(priority) for priority in Priority],
    },
}


def _of_type(kind: str, prefix: str, ignored: dict[str, Schema]) -> Component:
    fields = FIELDS[kind]
    properties: dict[str, Schema] = {"type": {"type": "string", "enum": [kind]}}
    for field in PARSERS:
        if field in fields.required:
            properties[field] = PROPERTIES[field]
        elif field in fields.optional:
            properties[field] = {"anyOf": [PROPERTIES[field], {"type": "null"}]}
        else:
            properties[field] = {"type": "null", "description": "Of another type."}
    return Component(
        f"{prefix}{kind.capitalize()}",
        {
            "type": "object",
            "description": f"{fields.called.capitalize()}; `null` is the same as left out.",
            "properties": {**properties, **ignored},
            "required": ["type", *sorted(fields.required)],
            "additionalProperties": False,
        },
    )


def _of_any_type(prefix: str, ignored: dict[str, Schema]) -> Component:
    kinds = [_of_type(kind, prefix, ignored) for kind in FIELDS]
    return Component(f"{prefix}Occasion", {"oneOf": kinds})


NEW_OCCASION = _of_any_type("New", {})
CHANGED_OCCASION = _of_any_type("Changed", dict.fromkeys(sorted(SET_BY_US), IGNORED))

EXAMPLES = {
    "anniversary": {"type": "ANNIVERSARY", "name": "wedding", "date": "2015-06-20", "sendAtLocal": "08:00"},
    "reminder": {
        "type": "REMINDER",
        "message": "Take out the bins",
        "localDateTime": "2030-01-07T07:30",
        "rrule": "FREQ=WEEKLY;BYDAY=MO",
    },
    "notification": {"type": "NOTIFICATION", "message": "Your table is ready", "at": NOW, "priority": "high"},
}
ANSWER_EXAMPLE = msgspec.to_builtins(
    occasion_answer(
        Occasion(
            id=UUID(OCCASION_ID),
            user_id=UUID(USER_ID),
            version=1,
            details=OccasionDetails(
                type=ANNIVERSARY.occasion_type,
                name="wedding",
                date=date(2015, 6, 20),
                send_at_local=time(8),
            ),
            last_date=None,
            first_date="2026-06-20",
            created_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
            updated_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        ),
        None,
    )
)
