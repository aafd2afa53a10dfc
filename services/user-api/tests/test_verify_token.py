import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey
from testkit.issuer import AUDIENCE, Issuer, sign
from user_api.auth import Caller, Role
from user_api.auth.known_tokens import KnownTokens
from user_api.auth.published_keys import PublishedKeys
from user_api.auth.read_claims import Expected
from user_api.auth.verify_token import VerifyToken, shared_key
from user_api.refusals import UnauthenticatedError

NOW = 1_900_000_000
USER = "0198c0de-0000-7000-8000-000000000001"
GOOD = {"exp": NOW + 300, "iat": NOW}
SECRET = "a secret that is thirty-two bytes"


@pytest_asyncio.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer() as issuer:
        issuer.add_key("ec")
        yield issuer


@pytest_asyncio.fixture
async def verify(issuer: Issuer) -> AsyncIterator[VerifyToken]:
    async with httpx.AsyncClient() as http:
        keys = PublishedKeys(issuer.jwks_url, http, when_withdrawn=lambda: None)
        expected = Expected(issuer=issuer.name, audience=AUDIENCE)
        yield VerifyToken(keys.find, expected, KnownTokens(), clock=lambda: NOW)


ACCEPTED: list[dict[str, Any]] = [
    {},
    {"exp": NOW - 59},
    {"exp": NOW + 0.5},
    {"nbf": NOW + 60},
    {"iat": NOW + 60},
    {"iat": None},
    {"aud": ["another", AUDIENCE]},
    {"sub": "x" * 255},
    {"roles": ["admin", "wizard"]},
    {"email": "ada@example.com", "unknown": {"a": [1]}},
]


async def test_good_claims_within_the_leeway_name_the_caller(issuer: Issuer, verify: VerifyToken) -> None:
    for claims in ACCEPTED:
        caller = await verify(issuer.token("admin", **{**GOOD, **claims}).encode())

        subject = claims.get("sub", "somebody")
        assert caller == Caller(subject=subject, user_id=None, roles=frozenset({Role.ADMIN})), claims


async def test_the_subject_of_a_user_is_their_id(issuer: Issuer, verify: VerifyToken) -> None:
    callers = [
        (USER, ["user"], UUID(USER)),
        (USER, ["user", "service"], UUID(USER)),
        ("cron", ["user", "service"], None),
        (USER, ["service"], None),
        (USER, ["wizard"], None),
        (USER, [], None),
    ]
    for sub, roles, user_id in callers:
        caller = await verify(issuer.token(*roles, sub=sub, **GOOD).encode())

        assert caller == Caller(
            subject=sub, user_id=user_id, roles=frozenset(role for role in Role if role in roles)
        )


EXPIRED, LATER, FUTURE = "has expired", "not valid yet", "issued in the future"
ISSUER, MEANT, FORM = "another issuer", "another audience", "must have the claims"
SUBJECT, USER_ID = "sub is empty, too long", "not a user id"
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"exp": NOW - 60}, EXPIRED),
    ({"nbf": NOW + 61}, LATER),
    ({"iat": NOW + 61}, FUTURE),
    ({"iss": "http://another"}, ISSUER),
    ({"aud": "another"}, MEANT),
    ({"aud": AUDIENCE + "x"}, MEANT),
    ({"aud": [AUDIENCE + "x"]}, MEANT),
    ({"aud": []}, MEANT),
    *(({name: None}, FORM) for name in ("exp", "iss", "aud", "sub")),
    *(({"exp": wrong}, FORM) for wrong in ("soon", True, [NOW + 300])),
    *(({"roles": wrong}, FORM) for wrong in ("admin", [1])),
    ({"iss": ["a"]}, FORM),
    *(({"sub": wrong}, SUBJECT) for wrong in ("", "x" * 256, "a\0b", "a\nb")),
    ({"sub": "ada", "roles": ["user"]}, USER_ID),
    ({"sub": f"urn:uuid:{USER}", "roles": ["user", "wizard"]}, USER_ID),
]


async def test_bad_claims_are_refused_with_the_reason(issuer: Issuer, verify: VerifyToken) -> None:
    for claims, reason in REFUSED:
        token = issuer.token("admin", **{**GOOD, **claims})

        with pytest.raises(UnauthenticatedError) as refused:
            await verify(token.encode())
        assert reason in str(refused.value), claims


def part(value: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def unsigned(issuer: Issuer, header: object) -> bytes:
    return part(header) + b"." + part(issuer.claims("admin", **GOOD))


def hmac_signed(issuer: Issuer, kid: str, key: bytes) -> bytes:
    body = unsigned(issuer, {"alg": "HS256", "kid": kid})
    return body + b"." + base64.urlsafe_b64encode(hmac.digest(key, body, hashlib.sha256)).rstrip(b"=")


def with_the_public_key_as_secret(issuer: Issuer) -> bytes:
    return hmac_signed(issuer, "rsa", issuer.add_key("rsa", "RSA").as_pem(private=False))


def with_a_published_secret(issuer: Issuer) -> bytes:
    issuer.extra_keys.append({"kty": "oct", "kid": "oct", "k": part("shared").decode()})
    return hmac_signed(issuer, "oct", base64.urlsafe_b64decode(part("shared") + b"=="))


def with_another_key_of_the_same_name(issuer: Issuer) -> bytes:
    return sign(issuer.claims("admin", **GOOD), "ec", ECKey.generate_key("P-256")).encode()


def with_a_key_that_is_not_published(issuer: Issuer) -> bytes:
    return sign(issuer.claims("admin", **GOOD), "new", ECKey.generate_key("P-256")).encode()


def with_a_key_of_the_other_type(issuer: Issuer) -> bytes:
    return sign(issuer.claims("admin", **GOOD), "ec", RSAKey.generate_key(2048)).encode()


def with_other_claims_than_signed(issuer: Issuer) -> bytes:
    header, _, signature = issuer.token("user", sub=USER, **GOOD).encode().split(b".")
    return b".".join((header, part(issuer.claims("admin", **GOOD)), signature))


def with_an_extension(issuer: Issuer) -> bytes:
    key = issuer.keys["ec"]
    return sign(issuer.claims("admin", **GOOD), "ec", key, crit=["typ"], typ="JWT").encode()


def without_a_signature(issuer: Issuer) -> bytes:
    return issuer.token("admin", **GOOD).encode().rpartition(b".")[0] + b"."


ALGORITHM, KEY, SIGNATURE = "algorithm is not accepted", "does not publish", "signature is not valid"
FORGED: list[tuple[Callable[[Issuer], bytes], str]] = [
    (lambda issuer: unsigned(issuer, {"alg": "none"}) + b".", ALGORITHM),
    (lambda issuer: unsigned(issuer, {"alg": "NoNe", "kid": "ec"}) + b".AA", ALGORITHM),
    (with_the_public_key_as_secret, ALGORITHM),
    (with_a_published_secret, ALGORITHM),
    (with_another_key_of_the_same_name, SIGNATURE),
    (with_a_key_that_is_not_published, KEY),
    (with_a_key_of_the_other_type, KEY),
    (with_other_claims_than_signed, SIGNATURE),
    (without_a_signature, SIGNATURE),
    (with_an_extension, "critical extensions"),
    (lambda issuer: unsigned(issuer, ["alg"]) + b".AA", "header is not an object"),
    (lambda issuer: unsigned(issuer, {"alg": ["ES256"]}) + b".AA", "not a JWT"),
    (lambda issuer: unsigned(issuer, {"alg": "ES256", "kid": {}}) + b".AA", "not a JWT"),
]


async def test_a_forged_token_is_refused_for_a_reason_that_repeats_nothing_of_it(
    issuer: Issuer, verify: VerifyToken
) -> None:
    tokens = [(forge(issuer), reason) for forge, reason in FORGED]
    await verify(issuer.token("admin", **GOOD).encode())  # so it is not for want of keys

    for token, reason in tokens:
        with pytest.raises(UnauthenticatedError) as refused:
            await verify(token)
        assert reason in str(refused.value)
        assert not any(part.decode() in str(refused.value) for part in token.split(b".") if part)


async def test_a_token_that_names_no_key_is_taken_where_there_is_one_of_its_type(
    issuer: Issuer, verify: VerifyToken
) -> None:
    issuer.add_key("rsa", "RSA")
    claims = issuer.claims("admin", **GOOD)
    alone = sign(claims, None, issuer.keys["ec"]).encode()
    await verify(alone)

    issuer.add_key("second")
    async with httpx.AsyncClient() as http:
        keys = PublishedKeys(issuer.jwks_url, http, when_withdrawn=lambda: None)
        again = VerifyToken(
            keys.find, Expected(issuer=issuer.name, audience=AUDIENCE), KnownTokens(), lambda: NOW
        )
        with pytest.raises(UnauthenticatedError):
            await again(alone)


def test_a_known_token_is_good_until_it_expires_and_the_unused_make_room() -> None:
    known = KnownTokens(most=2)
    one, two, three = (Caller(subject=name, user_id=None, roles=frozenset()) for name in "123")
    known.add(b"1", one, NOW + 1)
    known.add(b"2", two, NOW + 1)
    assert known.find(b"1", NOW) == one

    known.add(b"3", three, NOW + 2)

    assert [known.find(token, NOW) for token in (b"1", b"2", b"3")] == [one, None, three]
    assert [known.find(token, NOW + 1) for token in (b"1", b"3")] == [None, three]
    known.forget_all()
    assert known.find(b"3", NOW) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
HEADER = JSON | st.fixed_dictionaries(
    {"alg": st.sampled_from(["HS256", "RS256", "none"]) | JSON},
    optional={"kid": JSON, "typ": JSON, "crit": JSON, "b64": JSON, "jwk": JSON, "x5c": JSON},
)


@settings(max_examples=100, deadline=None)
@given(header=HEADER, claims=JSON, signed=st.booleans())
def test_whatever_a_token_is_made_of_it_is_refused_and_nothing_worse(
    header: object, claims: object, *, signed: bool
) -> None:
    verify = VerifyToken(shared_key(SECRET), Expected(issuer="i", audience="a"), KnownTokens())
    body = part(header) + b"." + part(claims)
    signature = hmac.digest(SECRET.encode(), body, hashlib.sha256) if signed else b"signature"

    with pytest.raises(UnauthenticatedError):
        # It waits for nothing, so it needs no event loop.
        verify(body + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).send(None)


@settings(max_examples=100, deadline=None)
@given(token=st.binary(max_size=40) | st.from_regex(rb"[\w.=+/-]{0,40}", fullmatch=True))
def test_what_is_no_token_is_refused_and_nothing_worse(token: bytes) -> None:
    verify = VerifyToken(shared_key(SECRET), Expected(issuer="i", audience="a"), KnownTokens())

    with pytest.raises(UnauthenticatedError, match="not a JWT"):
        verify(token).send(None)


async def test_a_shared_secret_verifies_hs256_and_nothing_else(issuer: Issuer) -> None:
    verify = VerifyToken(
        shared_key(SECRET), Expected(issuer=issuer.name, audience=AUDIENCE), KnownTokens(), lambda: NOW
    )

    await verify(hmac_signed(issuer, "any", SECRET.encode()))
    for bad, reason in (
        (hmac_signed(issuer, "any", SECRET.encode()[:-1]), SIGNATURE),
        (issuer.token("admin", **GOOD).encode(), ALGORITHM),
        (unsigned(issuer, {"alg": "none"}) + b".", ALGORITHM),
    ):
        with pytest.raises(UnauthenticatedError, match=reason):
            await verify(bad)
