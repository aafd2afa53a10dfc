"""What `api` sends: the same bytes to everybody, with an admin's token that only Carillon reads."""

import secrets
import time
from collections.abc import Mapping

import msgspec
from carillon_local.make_token import make_token
from runtime.encrypt import new_key
from testkit import build

JWT = {"JWT_SECRET": secrets.token_hex(32), "JWT_ISSUER": "bench", "JWT_AUDIENCE": "carillon"}
SETTINGS: Mapping[str, str] = {
    "CARILLON_ENV": "bench",
    "AUTH": "jwt",
    "RATE_LIMIT": "off",
    "ENCRYPTION_KEYS": new_key("bench"),
    **JWT,
}
"""With these the user API takes the token."""


def posts(count: int) -> list[bytes]:
    """Return requests that create so many users."""
    head = _head("POST", "/user") + b"Content-Type: application/json\r\n"
    bodies = [
        msgspec.json.encode(build.user_body(email=f"user{number}@example.com")) for number in range(count)
    ]
    return [b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body) for body in bodies]


def gets(user_ids: list[str]) -> list[bytes]:
    """Return requests that read these users."""
    return [_head("GET", f"/user/{user_id}") + b"\r\n" for user_id in user_ids]


def _head(method: str, path: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n".encode()


TOKEN = make_token({**JWT, "ROLE": "admin"}, now=int(time.time()))
