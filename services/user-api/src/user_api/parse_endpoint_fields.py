"""The fields of an endpoint, one function each: JSON in, value out, FieldError with the reason otherwise."""

import re
from ipaddress import IPv6Address

from domain.webhook_types import WEBHOOK_TYPES

from user_api.parse_fields import FieldError, line

MOST_URL = 2000
MOST_HOST = 253  # RFC 1035 §2.3.4
MOST_DESCRIPTION = 500
MOST_RATE = 10_000
MOST_CONCURRENCY = 100
# What a worker gives an attempt; its lease of a delivery is longer than that.
MOST_TIMEOUT = 30

# RFC 3986, with a host that means the same to every client: a name whose last label begins with a letter, or
# an address as it is written usually. Else 0x7f.1 and 2130706433 were hosts as well: both are 127.0.0.1.
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_LAST_LABEL = r"[A-Za-z](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HOST = rf"(?:(?:{_LABEL}\.)*{_LAST_LABEL}|{_BYTE}(?:\.{_BYTE}){{3}}|\[[0-9A-Fa-f:.]{{2,45}}\])"
_PORT = r"(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
_REST = r"(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
URL_PATTERN = rf"^https?://{_HOST}(?::{_PORT})?(?:[/?]{_REST})?$"

_URL = re.compile(URL_PATTERN)
_AUTHORITY = re.compile(r"https?://([^/?]*)")
_PORT_AT_END = re.compile(r":[0-9]*$")


def url(value: object) -> str:
    """Read where webhooks go: http or https, no credentials, no fragment, at most 2,000 characters."""
    text = _text(value)
    if len(text) > MOST_URL:
        raise FieldError(f"is longer than {MOST_URL} characters")
    authority = _AUTHORITY.match(text)
    if authority is None:
        raise FieldError("does not begin with http:// or https://")
    if "@" in authority[1]:
        raise FieldError("has credentials; send them in a header")
    if "#" in text:
        raise FieldError("has a fragment, which no request carries")
    if _URL.fullmatch(text) is None or not _is_host(_PORT_AT_END.sub("", authority[1])):
        raise FieldError("is not a URL such as https://example.com/hooks")
    return text


def event_types(value: object) -> tuple[str, ...]:
    """Read which webhooks an endpoint gets."""
    if not isinstance(value, list) or not value:
        raise FieldError("is not a list of event types; leave it out for all")
    if unknown := [one for one in value if one not in WEBHOOK_TYPES]:
        raise FieldError(f"has {len(unknown)} that are none of {', '.join(WEBHOOK_TYPES)}")
    if len(set(value)) < len(value):
        raise FieldError("has one more than once")
    return tuple(value)


def description(value: object) -> str:
    """Read what an endpoint is for, a line of up to 500 characters."""
    return line(_text(value), MOST_DESCRIPTION)


def rate_limit(value: object) -> int:
    """Read how many requests a second an endpoint takes."""
    return _whole(value, MOST_RATE)


def concurrency(value: object) -> int:
    """Read how many requests at once an endpoint takes."""
    return _whole(value, MOST_CONCURRENCY)


def timeout_seconds(value: object) -> int:
    """Read how many seconds a request may take."""
    return _whole(value, MOST_TIMEOUT)


def enabled(value: object) -> bool:
    """Read whether webhooks go there."""
    if not isinstance(value, bool):
        raise FieldError("is neither true nor false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise FieldError("is not text")
    return value


def _whole(value: object, most: int) -> int:
    # To JSON Schema, 5.0 is an integer too; true is none.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise FieldError(f"is not a whole number from 1 to {most}")
    return value


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return len(host) <= MOST_HOST
    try:
        return bool(IPv6Address(host[1:-1]))
    except ValueError:
        return False
