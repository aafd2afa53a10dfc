"""A JSON Web Key Set (RFC 7517), read: the public keys that may verify a token, each for one algorithm."""

import warnings
from collections.abc import Mapping, Sequence

import msgspec
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, RSAKey
from msgspec import Struct

from user_api.auth.verify_token import ES256, RS256

PublicKey = RSAKey | ECKey
# By algorithm and key id. A key serves one algorithm: what its type and curve make it.
PublicKeys = Mapping[tuple[str, str | None], PublicKey]

MOST_KEYS = 100
LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 4096


class UselessJwksError(Exception):
    """The document is no key set, or none of its keys can be used."""


class Jwk(Struct, frozen=True):
    """The members of a key that are read; private ones and all others are left where they are."""

    kty: str
    use: str | None = None
    key_ops: Sequence[str] | None = None
    alg: str | None = None
    kid: str | None = None
    n: str = ""
    e: str = ""
    crv: str | None = None
    x: str = ""
    y: str = ""


class Jwks(Struct, frozen=True):
    """The document. Each key is read by itself, so that a strange one spoils no other."""

    keys: Sequence[msgspec.Raw]


def read_jwks(body: bytes) -> PublicKeys:
    """Read a key set: keys for signatures, RSA of 2048 to 4096 bits and P-256. Raises UselessJwksError."""
    try:
        listed = msgspec.json.decode(body, type=Jwks).keys
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UselessJwksError("it is not a JSON Web Key Set") from None
    if len(listed) > MOST_KEYS:
        raise UselessJwksError(f"it has more than {MOST_KEYS} keys")
    keys: dict[tuple[str, str | None], PublicKey] = {}
    for raw in listed:
        try:
            jwk = msgspec.json.decode(raw, type=Jwk)
            algorithm, key = _verifying_key(jwk)
        # RFC 7517 §5: a key that is not understood is ignored.
        except (JoseError, ValueError, KeyError, RecursionError):
            continue
        keys.setdefault((algorithm, jwk.kid), key)
    if not keys:
        raise UselessJwksError("it has no key for RS256 or ES256")
    return keys


def _verifying_key(jwk: Jwk) -> tuple[str, PublicKey]:
    if jwk.use not in {None, "sig"} or (jwk.key_ops is not None and "verify" not in jwk.key_ops):
        raise ValueError("it is for something else")
    match jwk.kty, jwk.crv, jwk.alg:
        case "RSA", _, None | "RS256":
            return RS256, _rsa_key(jwk)
        case "EC", "P-256", None | "ES256":
            return ES256, ECKey.import_key({"kty": "EC", "crv": "P-256", "x": jwk.x, "y": jwk.y})
        case _:
            # Symmetric ones among them: published, they would let everybody sign.
            raise ValueError("it is of another type, or for another algorithm")


def _rsa_key(jwk: Jwk) -> RSAKey:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # about short keys, which are refused here
        key = RSAKey.import_key({"kty": "RSA", "n": jwk.n, "e": jwk.e})
    if not LEAST_RSA_BITS <= key.public_key.key_size <= MOST_RSA_BITS:
        raise ValueError("it is too short or too long")
    return key
