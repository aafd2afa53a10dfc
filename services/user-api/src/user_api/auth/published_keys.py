"""The keys that an issuer publishes at JWKS_URL: fetched apart from requests, kept, fetched again in time."""

import asyncio
import time
from collections.abc import Callable

import httpx
import structlog
from runtime.stopping import Stop, describe, pause

from user_api.auth.read_jwks import PublicKeys, UselessJwksError, read_jwks
from user_api.auth.verify_token import ES256, RS256, Clock, Key, refuse_algorithm_unless
from user_api.refusals import KeysUnavailableError, UnauthenticatedError

log = structlog.get_logger()

REFRESH_SECONDS = 300.0
# A key id that nobody publishes costs a fetch at most as often as this, however many tokens carry one.
LEAST_SECONDS_BETWEEN = 10.0
WITHOUT_ANY = 1.0
FETCH_SECONDS = 5.0
MOST_BYTES = 256 * 1024


class PublishedKeys:
    """An issuer's keys. While the issuer is away, those fetched last go on serving.

    `when_withdrawn` is called when a key is published no more; `clock` is monotonic, in seconds.
    """

    def __init__(
        self,
        url: str,
        http: httpx.AsyncClient,
        *,
        when_withdrawn: Callable[[], None],
        refresh_seconds: float = REFRESH_SECONDS,
        fetch_seconds: float = FETCH_SECONDS,
        clock: Clock = time.monotonic,
    ) -> None:
        self._url = url
        self._http = http
        self._when_withdrawn = when_withdrawn
        self._refresh_seconds = refresh_seconds
        self._fetch_seconds = fetch_seconds
        self._clock = clock
        self._keys: PublicKeys = {}
        self._asked_at = float("-inf")
        self._fetching: asyncio.Task[bool] | None = None

    @property
    def _least_seconds(self) -> float:
        return LEAST_SECONDS_BETWEEN if self._keys else WITHOUT_ANY

    async def find(self, algorithm: str, kid: str | None) -> Key:
        """Give the key of a token; an unknown key id has the set fetched, if that is not too soon.

        Raises UnauthenticatedError, and KeysUnavailableError when no set could be fetched at all.
        """
        refuse_algorithm_unless(algorithm in {RS256, ES256})
        key = self._published(algorithm, kid)
        if key is None and (self._fetching or self._clock() - self._asked_at >= self._least_seconds):
            await self.fetch()
            key = self._published(algorithm, kid)
        await self.check()
        if key is None:
            raise UnauthenticatedError("The token is signed with a key that its issuer does not publish")
        return key

    async def check(self) -> None:
        """Do nothing, once there are keys. Raises KeysUnavailableError."""
        if not self._keys:
            raise KeysUnavailableError("the keys at JWKS_URL have not been fetched yet")

    async def keep_fresh(self, stop: Stop) -> None:
        """Fetch the set now and then until `stop` is set, soon again after a failure."""
        while not stop.is_set():
            fetched = await self.fetch()
            await pause(stop, self._refresh_seconds if fetched else self._least_seconds)

    async def stop(self) -> None:
        """Cut off a fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait({self._fetching})

    async def fetch(self) -> bool:
        """Fetch the set, once for all who ask meanwhile; tell whether that went well."""
        if self._fetching is None:
            self._asked_at = self._clock()
            self._fetching = asyncio.create_task(self._fetch(), name="fetch JWKS")
        # Shielded: the request that began it may be cut off, and others wait for the same fetch.
        return await asyncio.shield(self._fetching)

    async def _fetch(self) -> bool:
        try:
            self._replace(read_jwks(await self._download()))
        # ValueError: an address that httpx finds fault with only when it resolves it.
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UselessJwksError, ValueError) as error:
            log.warning("auth.keys_not_fetched", error=describe(error), keys_kept=len(self._keys))
            return False
        else:
            return True
        finally:
            self._fetching = None

    async def _download(self) -> bytes:
        headers = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}
        body = b""
        async with (
            asyncio.timeout(self._fetch_seconds),
            self._http.stream("GET", self._url, headers=headers) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise UselessJwksError(f"it was answered with {answer.status_code}")
            # Raw: what is not compressed cannot grow here.
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise UselessJwksError(f"it is larger than {MOST_BYTES} bytes")
        return body

    def _replace(self, keys: PublicKeys) -> None:
        withdrawn = [name for name, key in self._keys.items() if not _same(key, keys.get(name))]
        if withdrawn or keys.keys() != self._keys.keys():
            log.info("auth.keys_changed", keys=len(keys), withdrawn=len(withdrawn))
        self._keys = keys
        if withdrawn:
            self._when_withdrawn()

    def _published(self, algorithm: str, kid: str | None) -> Key | None:
        if kid is not None:
            return self._keys.get((algorithm, kid))
        # A token that names no key is taken where there is no choice (RFC 7515 §4.1.4: kid is optional).
        candidates = [key for (of, _), key in self._keys.items() if of == algorithm]
        return candidates[0] if len(candidates) == 1 else None


def _same(one: Key, other: Key | None) -> bool:
    return other is not None and one.thumbprint() == other.thumbprint()
