"""What is kept of an answer, within bounds, and as text that PostgreSQL takes."""

from codecs import utf_8_decode

import httpx
import msgspec

MOST_HEADER_CHARACTERS = 4096
MOST_BODY_BYTES = 1024
# A session that the endpoint gave us, which nobody needs to read.
NOT_KEPT = frozenset({"set-cookie"})


def kept_headers(headers: httpx.Headers) -> str | None:
    """Return them as a JSON object; from the one on that goes beyond 4,096 characters they are left out.

    Headers of one name are one, with commas between them (RFC 9110 §5.3).
    """
    kept: dict[str, str] = {}
    room = MOST_HEADER_CHARACTERS
    for name, value in headers.multi_items():
        room -= len(name) + len(value)
        if room < 0:
            break
        if name not in NOT_KEPT:
            kept[name] = f"{kept[name]}, {value}" if name in kept else value
    return msgspec.json.encode(kept).decode() if kept else None


def kept_body(start: bytes, *, whole: bool) -> str | None:
    """Return the beginning of a body as text; what is no UTF-8 is replaced, and so is NUL.

    Where the body goes on, half a character at the end is left out.
    """
    text, _ = utf_8_decode(start, "replace", whole)
    return text.replace("\0", "\ufffd") or None
