"""What schemathesis is told beside the OpenAPI document: what no schema can say, and one check more."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario
from user_api.idempotency_key import KEY_PATTERN, MOST_CHARACTERS

TODAY = datetime.now(UTC)
PROBLEM = "application/problem+json"
NOT_AN_OPERATION = 405
KEY = "Idempotency-Key"
GOOD_KEY = re.compile(KEY_PATTERN)
ROOM_FOR_MORE = MOST_CHARACTERS - len(uuid4().hex)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(rf"{DAY.pattern}T[0-9]{{2}}:[0-9]{{2}}")

# A date of birth is not in the future; a moment that is to ring is not in the past.
days = st.dates(max_value=(TODAY - timedelta(days=1)).date())
moments = st.datetimes(
    min_value=(TODAY + timedelta(days=2)).replace(tzinfo=None),
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - local
).map(lambda moment: moment.isoformat(timespec="seconds"))
schemathesis.openapi.format("date", days.map(str))
schemathesis.openapi.format("date-time-local", moments)
schemathesis.openapi.format("date-time", moments.map("{}Z".format))
schemathesis.openapi.format(
    "recurrence-rule",
    st.sampled_from(
        [
            "FREQ=DAILY",
            "FREQ=DAILY;INTERVAL=10;COUNT=3",
            "FREQ=WEEKLY;BYDAY=MO,FR;WKST=SU",
            "RRULE:FREQ=MONTHLY;BYDAY=-1SU",
            "FREQ=MONTHLY;BYMONTHDAY=31",
            "freq=yearly;bymonth=2;bymonthday=29",
        ]
    ),
)


@schemathesis.serializer("application/x-ndjson")
def send_lines(_context: object, value: object) -> bytes:
    """Send text as it is, whatever its lines, and anything else as one line."""
    return value.encode("utf-8", "replace") if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.hook
def before_call(_context: HookContext, case: Case[Any], _kwargs: dict[str, Any]) -> None:
    """Make each good key a new one, and put what is right but for its moment into time."""
    key = case.headers.get(KEY) if case.headers else None
    if isinstance(key, str) and GOOD_KEY.fullmatch(key) and not _lacks_a_parameter(case):
        # One key for many requests would be refused, whatever else they try. What ends it may be a quote.
        new = uuid4().hex
        case.headers[KEY] = f"{key[:-1]}{new}{key[-1]}" if len(key) <= ROOM_FOR_MORE else new
    if isinstance(case.body, dict):
        case.body = {field: _in_time(field, value) for field, value in case.body.items()}


def _lacks_a_parameter(case: Case[Any]) -> bool:
    # Once a hook has changed one header, schemathesis sends the missing one as well.
    phase = case.meta and case.meta.phase.data
    return isinstance(phase, CoveragePhaseData) and phase.scenario == CoverageScenario.MISSING_PARAMETER


def _in_time(field: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    # Values that are made from examples know nothing of the formats above.
    match field, value:
        case "dateOfBirth", str() if DAY.fullmatch(value) and value > str(TODAY.date()):
            return f"1972{value[4:]}"
        case "localDateTime" | "at", str() if MOMENT.match(value) and value < TODAY.isoformat():
            return f"2096{value[4:]}"
        case _:
            return value


@schemathesis.check
def problem_is_listed(_context: CheckContext, response: Response, case: Case[Any]) -> None:
    """Demand that the problem is among the examples of its status: these are the errors it can give."""
    if response.headers.get("content-type") != [PROBLEM] or response.status_code == NOT_AN_OPERATION:
        return
    answers = case.operation.definition.raw["responses"]
    listed = (
        answers.get(str(response.status_code), {}).get("content", {}).get(PROBLEM, {}).get("examples", {})
    )
    kind = response.json()["type"].rpartition(":")[2]
    if kind not in listed:
        raise AssertionError(f"{kind} is not listed among the problems of {case.method} {case.path}")
