"""An endpoint's custom headers: encrypted where they are kept, values masked where they are read.

A mask that is sent back stands for the value that is there, so what was read can be changed and sent back.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec
from runtime.encrypt import Keys, headers_of

from user_api.refusals import FieldProblem, InvalidInputError

MASK = "********"
MOST_HEADERS = 10


def masked(names: Iterable[str]) -> dict[str, str]:
    """Give headers as they are read."""
    return dict.fromkeys(names, MASK)


def unmasked(headers: Mapping[str, str], present: Mapping[str, str]) -> dict[str, str]:
    """Give `headers`, each mask replaced by the value that is `present` under that name, in any case.

    Raises InvalidInputError where there is none.
    """
    values = {name.lower(): value for name, value in present.items()}
    if lost := [name for name, value in headers.items() if value == MASK and name.lower() not in values]:
        raise InvalidInputError([FieldProblem("headers", f"masks {', '.join(lost)}, which has no value")])
    return {name: values[name.lower()] if value == MASK else value for name, value in headers.items()}


def patched(present: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Merge changes into headers as RFC 7396 does, names in any case: null takes one away.

    Raises InvalidInputError for too many, or a mask without a value.
    """
    headers = {name.lower(): (name, value) for name, value in present.items()}
    for name, value in changes.items():
        if value is None:
            headers.pop(name.lower(), None)
        else:
            headers[name.lower()] = (name, value)
    if len(headers) > MOST_HEADERS:
        raise InvalidInputError([FieldProblem("headers", f"would be more than {MOST_HEADERS}")])
    return unmasked(dict(headers.values()), present)


def encrypt_headers(keys: Keys, endpoint_id: UUID, headers: Mapping[str, str]) -> bytes | None:
    """Encrypt headers to be stored; None for none."""
    return keys.encrypt(msgspec.json.encode(headers), about=headers_of(endpoint_id)) if headers else None


def decrypt_headers(keys: Keys, endpoint_id: UUID, stored: bytes | None) -> dict[str, str]:
    """Decrypt stored headers. Raises UndecipherableError."""
    if stored is None:
        return {}
    return msgspec.json.decode(keys.decrypt(stored, about=headers_of(endpoint_id)), type=dict[str, str])
