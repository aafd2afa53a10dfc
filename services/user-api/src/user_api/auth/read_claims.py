"""What a token claims (RFC 7519 §4), checked once its signature is."""

import msgspec
from msgspec import Struct

from user_api.auth.caller import Caller, caller_named
from user_api.refusals import UnauthenticatedError

LEEWAY = 60  # seconds that the issuer's clock may be off ours
MOST_SUBJECT = 255


class Expected(Struct, frozen=True, kw_only=True):
    """Whose tokens are taken, and for whom they must be meant."""

    issuer: str
    audience: str


class Claims(Struct, frozen=True):
    """The claims that are read; times are seconds since 1970."""

    iss: str
    aud: str | list[str]
    sub: str
    exp: float
    nbf: float | None = None
    iat: float | None = None
    roles: list[str] = []


_DECODER = msgspec.json.Decoder(Claims)


def read_claims(payload: bytes, expected: Expected, now: float) -> tuple[Caller, float]:
    """Give the caller that the claims name and until when. Raises UnauthenticatedError."""
    try:
        claims = _DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnauthenticatedError(
            "The token must have the claims iss, aud, sub and exp, each of its type"
        ) from None
    if reason := _fault(claims, expected, now):
        raise UnauthenticatedError(reason)
    caller = caller_named(claims.sub, claims.roles)
    if caller is None:
        raise UnauthenticatedError("The token is of a user, and its sub is not a user id")
    return caller, claims.exp + LEEWAY


def _fault(claims: Claims, expected: Expected, now: float) -> str | None:
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    faults = {
        "The token is of another issuer": claims.iss != expected.issuer,
        "The token is for another audience": expected.audience not in audiences,
        "The token has expired": now >= claims.exp + LEEWAY,
        "The token is not valid yet": claims.nbf is not None and now < claims.nbf - LEEWAY,
        "The token was issued in the future": claims.iat is not None and now < claims.iat - LEEWAY,
        # It is a key of rate limits and of stored replies: text that PostgreSQL holds, not endless.
        "The token's sub is empty, too long or not printable": not _is_good_subject(claims.sub),
    }
    return next((reason for reason, found in faults.items() if found), None)


def _is_good_subject(subject: str) -> bool:
    return 1 <= len(subject) <= MOST_SUBJECT and subject.isprintable()
