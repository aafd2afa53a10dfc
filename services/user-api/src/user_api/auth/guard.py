"""Who may come in, as the settings say: made once, open for as long as the service serves."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import httpx
from litestar.types import ASGIApp
from msgspec import Struct
from runtime.health import Check
from runtime.settings import SettingsError
from runtime.stopping import Stop, keep_running

from user_api.auth.authenticate import Authenticate, LetEverybodyIn
from user_api.auth.known_tokens import KnownTokens
from user_api.auth.published_keys import PublishedKeys
from user_api.auth.read_claims import Expected
from user_api.auth.verify_token import FindKey, VerifyToken, shared_key
from user_api.settings import Settings


class Guard(Struct, frozen=True):
    """The way in to put before an application, and what must be well for it to let anybody in."""

    before: Callable[[ASGIApp], ASGIApp]
    checks: Mapping[str, Check]


@asynccontextmanager
async def open_guard(settings: Settings, stop: Stop) -> AsyncIterator[Guard]:
    """Give the guard; with JWKS_URL the issuer's keys are fetched from now on. Raises SettingsError."""
    if settings.auth == "off":
        yield Guard(LetEverybodyIn, {})
        return
    known = KnownTokens()
    if settings.jwt_secret:
        try:
            find = shared_key(settings.jwt_secret)
        except ValueError:
            raise SettingsError("JWT_SECRET is a public key, which is no secret") from None
        yield Guard(_before(settings, find, known), {})
        return
    async with httpx.AsyncClient() as http:
        keys = PublishedKeys(
            settings.jwks_url,
            http,
            when_withdrawn=known.forget_all,
            refresh_seconds=settings.jwks_refresh_seconds,
        )
        refreshing = asyncio.create_task(keep_running("jwks", keys.keep_fresh, stop))
        try:
            yield Guard(_before(settings, keys.find, known), {"signing keys": keys.check})
        finally:
            refreshing.cancel()
            await asyncio.wait({refreshing})
            await keys.stop()


def _before(settings: Settings, find: FindKey, known: KnownTokens) -> Callable[[ASGIApp], ASGIApp]:
    expected = Expected(issuer=settings.jwt_issuer, audience=settings.jwt_audience)
    verify = VerifyToken(find, expected, known)
    return lambda app: Authenticate(app, verify)
