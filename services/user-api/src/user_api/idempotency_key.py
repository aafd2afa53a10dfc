"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): what a client repeats a POST under."""

import hashlib
import re

from litestar.types import Scope
from msgspec import Struct

from user_api.client_of import client_of
from user_api.refusals import FieldProblem, InvalidInputError

HEADER = "Idempotency-Key"
_NAME = HEADER.lower().encode()
# A structured-field string (RFC 9651 §3.3.3), or what many clients send instead: the bare key.
_QUOTED = re.compile(rb'"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BARE = re.compile(rb"[\x21\x23-\x7e][\x21-\x7e]*")
_ESCAPED = re.compile(rb'\\(["\\])')
MOST_CHARACTERS = 255
# What is taken, as openapi.json tells it.
KEY_PATTERN = (
    rf"""^(?:[!#-~][!-~]{{0,{MOST_CHARACTERS - 1}}}|"(?:[!#-\[\]-~]|\\["\\]){{1,{MOST_CHARACTERS}}}")$"""
)


class KeyedRequest(Struct, frozen=True, kw_only=True):
    """SHA-256 digests: `id` of caller and key, `request` of what was asked under it."""

    id: bytes
    request: bytes

    @property
    def lock(self) -> int:
        """The number of the advisory lock under which the key is used."""
        return int.from_bytes(self.id[:8], "big", signed=True)


def sent_keys(scope: Scope) -> list[bytes]:
    """Give the header's values, as sent."""
    return [value for name, value in scope["headers"] if name == _NAME]


def read_key(values: list[bytes]) -> bytes:
    """Read the key; quoted or not it is the same. Raises InvalidInputError."""
    if len(values) != 1:
        raise InvalidInputError([FieldProblem(HEADER, "is sent more than once")])
    value = values[0].strip(b" \t")
    if quoted := _QUOTED.fullmatch(value):
        key = _ESCAPED.sub(rb"\1", quoted[1])
    elif _BARE.fullmatch(value):
        key = value
    else:
        key = b""
    if not 1 <= len(key) <= MOST_CHARACTERS:
        reason = f"is not 1 to {MOST_CHARACTERS} visible ASCII characters"
        raise InvalidInputError([FieldProblem(HEADER, reason)])
    return key


def keyed_request(scope: Scope, key: bytes, body: bytes) -> KeyedRequest:
    """Tell which key it is, and what is asked under it."""
    asked = b"%b %b?%b\n" % (scope["method"].encode(), scope["raw_path"], scope["query_string"])  # type: ignore[typeddict-item] # there are no web sockets
    return KeyedRequest(
        # A line break is in no header, so in no key.
        id=hashlib.sha256(client_of(scope).encode() + b"\n" + key).digest(),
        request=hashlib.sha256(asked + body).digest(),
    )
