"""The custom headers of an endpoint: JSON in, names and values out, FieldError with the reason otherwise."""

import re
from itertools import pairwise

from user_api.endpoint_headers import MOST_HEADERS
from user_api.parse_fields import FieldError

MOST_HEADER_VALUE = 2000
# RFC 9110 §5.1, §5.5: what every receiver reads alike, so no tabs and nothing but ASCII.
HEADER_NAME_PATTERN = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$"
HEADER_VALUE_PATTERN = r"^[!-~](?:[ -~]*[!-~])?$"

_HEADER_NAME = re.compile(HEADER_NAME_PATTERN)
_HEADER_VALUE = re.compile(HEADER_VALUE_PATTERN)
# Carillon's own, the connection's (RFC 9110 §7.6.1), and what frames or describes the body.
OWN_HEADERS = frozenset(
    {
        "connection",
        "expect",
        "host",
        "idempotency-key",
        "keep-alive",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)
OWN_PREFIXES = ("content-", "proxy-", "webhook-")


def headers(value: object) -> dict[str, str]:
    """Read custom headers, at most ten, none that Carillon or the connection sets."""
    read = header_changes(value)
    if None in read.values():
        raise FieldError("has one whose value is not text")
    return {name: value for name, value in read.items() if value is not None}


def header_changes(value: object) -> dict[str, str | None]:
    """Read changes of custom headers; None takes one away."""
    if not isinstance(value, dict):
        raise FieldError("is not an object of names and values")
    if len(value) > MOST_HEADERS:
        raise FieldError(f"has more than {MOST_HEADERS}")
    names = sorted(name.lower() for name in value)
    if any(_HEADER_NAME.fullmatch(name) is None for name in names):
        raise FieldError("has one whose name is not that of a header, at most 100 characters long")
    if own := [name for name in names if name in OWN_HEADERS or name.startswith(OWN_PREFIXES)]:
        raise FieldError(f"has {', '.join(own)}, which Carillon sets itself")
    if twice := [name for name, following in pairwise(names) if name == following]:
        raise FieldError(f"has {', '.join(twice)} more than once")
    if not all(given is None or _is_header_value(given) for given in value.values()):
        raise FieldError(f"has one whose value is not 1 to {MOST_HEADER_VALUE} characters of printable ASCII")
    return value


def _is_header_value(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= MOST_HEADER_VALUE
        and _HEADER_VALUE.fullmatch(value) is not None
    )
