import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from joserfc.jwk import ECKey, RSAKey
from testkit.issuer import AUDIENCE, Issuer, JwksReply
from testkit.wait import eventually
from user_api.auth.known_tokens import KnownTokens
from user_api.auth.published_keys import LEAST_SECONDS_BETWEEN, MOST_BYTES, PublishedKeys
from user_api.auth.read_claims import Expected
from user_api.auth.read_jwks import UselessJwksError, read_jwks
from user_api.auth.verify_token import VerifyToken
from user_api.refusals import KeysUnavailableError, UnauthenticatedError


class Clock:
    """A clock that stands still until it is set forward."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Verifier:
    """What the service makes of an issuer, with a clock of the test's own for the fetches."""

    def __init__(self, issuer: Issuer, http: httpx.AsyncClient, **settings: float) -> None:
        self.clock = Clock()
        known = KnownTokens()
        self.keys = PublishedKeys(
            issuer.jwks_url, http, when_withdrawn=known.forget_all, clock=self.clock, **settings
        )
        self.verify = VerifyToken(self.keys.find, Expected(issuer=issuer.name, audience=AUDIENCE), known)

    async def takes(self, token: str) -> bool:
        try:
            await self.verify(token.encode())
        except UnauthenticatedError:
            return False
        return True


@pytest_asyncio.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer() as issuer:
        issuer.add_key("first")
        yield issuer


@pytest.fixture
def verifier(issuer: Issuer) -> Callable[..., AbstractAsyncContextManager[Verifier]]:
    @asynccontextmanager
    async def make(**settings: float) -> AsyncIterator[Verifier]:
        # Longer than the time limit of our own, which is the one to hold.
        async with httpx.AsyncClient(timeout=60) as http:
            made = Verifier(issuer, http, **settings)
            yield made
            await made.keys.stop()

    return make


Make = Callable[..., AbstractAsyncContextManager[Verifier]]


async def test_a_rotation_is_followed_at_the_first_token_of_the_new_key(
    issuer: Issuer, verifier: Make
) -> None:
    async with verifier() as made:
        old = issuer.token("admin")
        assert await made.takes(old)
        assert issuer.fetches == 1

        issuer.add_key("second", "RSA")
        new = issuer.token("admin")
        assert not await made.takes(new)  # it was asked just now
        made.clock.now += LEAST_SECONDS_BETWEEN
        assert await made.takes(new)
        assert await made.takes(old)
        assert issuer.fetches == 2

        del issuer.keys["first"]
        assert await made.takes(old)  # nobody has asked since
        await made.keys.fetch()
        assert not await made.takes(old)
        assert await made.takes(new)


async def test_a_key_replaced_under_its_name_is_withdrawn(issuer: Issuer, verifier: Make) -> None:
    async with verifier() as made:
        old = issuer.token("admin")
        assert await made.takes(old)

        issuer.add_key("first")
        await made.keys.fetch()

        assert not await made.takes(old)
        assert await made.takes(issuer.token("admin"))


async def test_a_flood_of_unknown_key_ids_is_one_fetch_and_waits_for_nothing_else(
    issuer: Issuer, verifier: Make
) -> None:
    async with verifier() as made:
        good = issuer.token("admin")
        assert await made.takes(good)
        strange = Issuer()
        flood = []
        for number in range(20):
            strange.add_key(f"unknown-{number}")
            flood.append(strange.token("admin"))

        for expected in (1, 2):
            assert await asyncio.gather(*map(made.takes, flood)) == [False] * 20
            assert issuer.fetches == expected
            made.clock.now += LEAST_SECONDS_BETWEEN
            issuer.reply = JwksReply(after_seconds=0.1, body=b'{"keys": []}')
        assert await made.takes(good)


async def test_an_issuer_that_is_away_is_503_without_keys_and_goes_unnoticed_with_them(
    issuer: Issuer, verifier: Make
) -> None:
    token, later = issuer.token("admin"), issuer.token("service")
    await issuer.__aexit__(None, None, None)
    async with verifier() as made:
        with pytest.raises(KeysUnavailableError):
            await made.takes(token)
        with pytest.raises(KeysUnavailableError):
            await made.keys.check()

        await issuer.__aenter__()
        made.clock.now += 1
        assert await made.takes(token)
        await made.keys.check()

        await issuer.__aexit__(None, None, None)
        assert not await made.keys.fetch()
        assert await made.takes(later)


async def test_the_keys_are_fetched_again_and_again_in_the_background(issuer: Issuer, verifier: Make) -> None:
    stop = asyncio.Event()
    async with verifier(refresh_seconds=0.01) as made:
        refreshing = asyncio.create_task(made.keys.keep_fresh(stop))
        await eventually(lambda: issuer.fetches > 2)
        issuer.add_key("second")
        token = issuer.token("admin")

        async def taken() -> bool:
            return await made.takes(token)

        await eventually(taken)
        stop.set()
        await refreshing


USELESS = [
    JwksReply(status=500),
    JwksReply(status=203),
    JwksReply(body=b"<html>"),
    JwksReply(body=b"[]"),
    JwksReply(body=b'{"keys": []}'),
    JwksReply(body=b"[" * 100_000),
    JwksReply(after_seconds=30),
]


async def test_a_useless_answer_takes_no_key_away(issuer: Issuer, verifier: Make) -> None:
    async with verifier(fetch_seconds=1) as made:
        await eventually(made.keys.fetch)
        for reply in (*USELESS, JwksReply(body=issuer.jwks() + b" " * MOST_BYTES)):
            issuer.reply = reply

            assert not await made.keys.fetch(), str(reply)[:50]
        assert await made.takes(issuer.token("admin"))


async def test_one_request_that_is_cut_off_does_not_cut_off_the_fetch_of_the_others(
    issuer: Issuer, verifier: Make
) -> None:
    token = issuer.token("admin")
    issuer.reply = JwksReply(after_seconds=0.2)
    async with verifier() as made:
        first = asyncio.create_task(made.takes(token))
        await eventually(lambda: issuer.fetches == 1)
        second = asyncio.create_task(made.takes(token))
        await asyncio.sleep(0)
        first.cancel()

        assert await second
        assert issuer.fetches == 1


def public(key: ECKey | RSAKey, **members: object) -> dict[str, Any]:
    return {**key.as_dict(private=False), **members}


def test_only_keys_for_signatures_of_a_sound_kind_are_read() -> None:
    ec, rsa = ECKey.generate_key("P-256"), RSAKey.generate_key(2048)
    with pytest.warns(match="2048"):
        short = RSAKey.generate_key(1024)
    useless = [
        {"kty": "oct", "kid": "1", "k": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"},
        {"kty": "OKP", "kid": "2", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kty": "EC", "kid": "3", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": "4", "crv": "P-256"},
        {"kty": 5},
        "a key",
        public(ec, kid="6", use="enc"),
        public(ec, kid="7", key_ops=["sign"]),
        public(ec, kid="8", alg="ES384"),
        public(ECKey.generate_key("P-384"), kid="9"),
        public(rsa, kid="10", alg="RS512"),
        public(short, kid="11"),
    ]
    good = [
        public(ec, kid="ec", use="sig", key_ops=["verify"], alg="ES256", x5u="not a URL"),
        public(rsa, kid="rsa"),
        public(ECKey.generate_key("P-256"), kid="ec"),
    ]

    keys = read_jwks(json.dumps({"keys": [*useless, *good]}).encode())

    assert keys.keys() == {("ES256", "ec"), ("RS256", "rsa")}
    assert keys["ES256", "ec"].thumbprint() == ec.thumbprint()
    with pytest.raises(UselessJwksError):
        read_jwks(json.dumps({"keys": useless}).encode())
    with pytest.raises(UselessJwksError):
        read_jwks(json.dumps({"keys": good * 50}).encode())
