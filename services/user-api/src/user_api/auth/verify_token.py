"""Verifying a token: the algorithm, the key, the signature, the claims; then it is known."""

import time
from collections.abc import Awaitable, Callable

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, RSAKey
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact

from user_api.auth.caller import Caller
from user_api.auth.known_tokens import KnownTokens
from user_api.auth.read_claims import Expected, read_claims
from user_api.refusals import UnauthenticatedError

Key = OctKey | RSAKey | ECKey
# The key for tokens of this algorithm and key id; raises UnauthenticatedError, KeysUnavailableError.
FindKey = Callable[[str, str | None], Awaitable[Key]]
Clock = Callable[[], float]

HS256, RS256, ES256 = "HS256", "RS256", "ES256"
# Header parameters that are not understood are ignored (RFC 7515 §4), unless `crit` forbids it.
REGISTRY = JWSRegistry(algorithms=[HS256, RS256, ES256], strict_check_header=False)


class VerifyToken:
    """Gives the caller that a token names; `clock` is the wall clock, in seconds since 1970."""

    def __init__(
        self, find_key: FindKey, expected: Expected, known: KnownTokens, clock: Clock = time.time
    ) -> None:
        self._find_key = find_key
        self._expected = expected
        self._known = known
        self._clock = clock

    async def __call__(self, token: bytes) -> Caller:
        """Verify a token. Raises UnauthenticatedError, KeysUnavailableError."""
        caller = self._known.find(token, self._clock())
        if caller is not None:
            return caller
        signed = _read(token)
        header = signed.headers()
        key = await self._find_key(header["alg"], header.get("kid"))
        # From here on nothing waits, so that a key withdrawn meanwhile cannot make its token known.
        if not _is_signed(signed, key):
            raise UnauthenticatedError("The token's signature is not valid")
        caller, good_until = read_claims(signed.payload, self._expected, self._clock())
        self._known.add(token, caller, good_until)
        return caller


def shared_key(secret: str) -> FindKey:
    """Find the one key that issuer and API share, for HS256 only. Raises ValueError for a public key."""
    key = OctKey.import_key(secret)

    async def find(algorithm: str, _kid: str | None) -> Key:
        refuse_algorithm_unless(algorithm == HS256)
        return key

    return find


def refuse_algorithm_unless(accepted: bool) -> None:  # noqa: FBT001 (reads as the sentence that it is)
    """Raise UnauthenticatedError for an algorithm that is not accepted, `none` above all."""
    if not accepted:
        raise UnauthenticatedError("The token's algorithm is not accepted here")


def _read(token: bytes) -> CompactSignature:
    try:
        signed = extract_compact(token, registry=REGISTRY)
        header: object = signed.headers()
        if not isinstance(header, dict):
            raise UnauthenticatedError("The token's header is not an object")
        if "crit" in header:
            raise UnauthenticatedError("The token has critical extensions, and none is understood here")
        REGISTRY.check_header(header)
    except (JoseError, RecursionError):
        raise UnauthenticatedError("The token is not a JWT") from None
    return signed


def _is_signed(signed: CompactSignature, key: Key) -> bool:
    try:
        return validate_compact(signed, key, registry=REGISTRY)
    except (JoseError, ValueError):
        return False
