"""An identity provider: it signs tokens, publishes its public keys over HTTP, rotates them, fails as told."""

import asyncio
import json
import time
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from msgspec import Struct

from testkit.ports import LOOPBACK

Key = ECKey | RSAKey
AUDIENCE = "carillon-tests"


class JwksReply(Struct, frozen=True, kw_only=True):
    """What the next requests for the keys are answered with; the keys themselves when `body` is None."""

    status: int = 200
    body: bytes | None = None
    after_seconds: float = 0


class Issuer:
    """Publishes `keys` (by key id) at `jwks_url` for as long as the context is open.

    `fetches` counts the requests; `reply` answers them while it is set; `extra_keys` are published as well.
    """

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {}
        self.extra_keys: list[dict[str, Any]] = []
        self.fetches = 0
        self.reply: JwksReply | None = None
        self._port = 0
        self._runner: web.AppRunner | None = None

    @property
    def name(self) -> str:
        """What its tokens have as `iss`."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def jwks_url(self) -> str:
        """Where its keys are."""
        return f"{self.name}/jwks.json"

    @property
    def settings(self) -> dict[str, str]:
        """What a service is told that is to trust it."""
        return {
            "AUTH": "jwt",
            "JWT_ISSUER": self.name,
            "JWT_AUDIENCE": AUDIENCE,
            "JWKS_URL": self.jwks_url,
            "CARILLON_ENV": "production",
        }

    def add_key(self, kid: str, kind: Literal["EC", "RSA"] = "EC") -> Key:
        """Make a key and publish it."""
        key = ECKey.generate_key("P-256") if kind == "EC" else RSAKey.generate_key(2048)
        self.keys[kid] = key
        return key

    def jwks(self) -> bytes:
        """Give the key set as it is published."""
        keys = [{**key.as_dict(private=False), "kid": kid, "use": "sig"} for kid, key in self.keys.items()]
        return json.dumps({"keys": [*self.extra_keys, *keys]}).encode()

    def claims(self, *roles: str, **others: object) -> dict[str, Any]:
        """Give good claims, good for an hour; `others` replace and, with None, remove some."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.name,
            "aud": AUDIENCE,
            "sub": "somebody",
            "iat": now,
            "exp": now + 3600,
            "roles": list(roles),
        }
        return {name: value for name, value in {**claims, **others}.items() if value is not None}

    def token(self, *roles: str, **others: object) -> str:
        """Sign a good token with the key published last."""
        return sign(self.claims(*roles, **others), *list(self.keys.items())[-1])

    async def __aenter__(self) -> Self:
        """Listen, always on the same port."""
        app = web.Application()
        app.router.add_get("/jwks.json", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._port).start()
        self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, _: web.Request) -> web.Response:
        self.fetches += 1
        reply = self.reply or JwksReply()
        await asyncio.sleep(reply.after_seconds)
        body = self.jwks() if reply.body is None else reply.body
        return web.Response(status=reply.status, body=body, content_type="application/json")


def sign(claims: dict[str, Any], kid: str | None, key: Key, **header: object) -> str:
    """Sign claims with a key, published or not."""
    algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
    named = {} if kid is None else {"kid": kid}
    return jwt.encode({"alg": algorithm, **named, **header}, claims, key, algorithms=[algorithm])
