import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from runtime.encrypt import (
    EncryptionKeys,
    UndecipherableError,
    headers_of,
    new_key,
    read_keys,
    secret_of,
)
from runtime.settings import SettingsError, load_settings

ENDPOINT, OTHER = UUID(int=1), UUID(int=2)
ABOUT = secret_of(ENDPOINT)
OLD, NEW = new_key("2025"), new_key("2026")


class Settings(Struct, frozen=True):
    encryption_keys: EncryptionKeys


@given(plain=st.binary(max_size=200), about=st.binary(max_size=40))
def test_what_is_encrypted_comes_back(plain: bytes, about: bytes) -> None:
    keys = read_keys(NEW)

    assert keys.decrypt(keys.encrypt(plain, about=about), about=about) == plain


def test_the_same_twice_is_stored_differently_and_shows_nothing() -> None:
    keys = read_keys(NEW)
    stored = [keys.encrypt(b"whsec_abc", about=ABOUT) for _ in range(2)]

    assert stored[0] != stored[1]
    assert b"whsec" not in stored[0]


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    before = read_keys(OLD).encrypt(b"before", about=ABOUT)
    both = read_keys(f"{NEW} , {OLD}")
    now = both.encrypt(b"now", about=ABOUT)

    assert (both.decrypt(before, about=ABOUT), both.decrypt(now, about=ABOUT)) == (b"before", b"now")
    assert read_keys(NEW).decrypt(now, about=ABOUT) == b"now"
    with pytest.raises(UndecipherableError, match="there is no key '2025'"):
        read_keys(NEW).decrypt(before, about=ABOUT)


@pytest.mark.parametrize("about", [secret_of(OTHER), headers_of(ENDPOINT), b""])
def test_what_is_stored_of_one_endpoint_is_good_for_no_other(about: bytes) -> None:
    keys = read_keys(NEW)

    with pytest.raises(UndecipherableError):
        keys.decrypt(keys.encrypt(b"whsec_abc", about=ABOUT), about=about)


def test_a_change_of_any_byte_and_a_missing_end_are_seen() -> None:
    keys = read_keys(NEW)
    stored = keys.encrypt(b"whsec_abc", about=ABOUT)
    flipped = [
        bytes([*stored[:place], stored[place] ^ 1, *stored[place + 1 :]]) for place in range(len(stored))
    ]

    for changed in [*flipped, *(stored[:length] for length in range(len(stored)))]:
        with pytest.raises(UndecipherableError):
            keys.decrypt(changed, about=ABOUT)


def test_another_key_of_the_same_id_decrypts_nothing() -> None:
    stored = read_keys(NEW).encrypt(b"whsec_abc", about=ABOUT)

    with pytest.raises(UndecipherableError, match="key '2026' does not decrypt"):
        read_keys(new_key("2026")).decrypt(stored, about=ABOUT)


@pytest.mark.parametrize(
    "bad",
    [
        "hidden",
        f":{NEW.partition(':')[2]}",
        f"{NEW},",
        NEW.removesuffix("="),
        f"id:{base64.b64encode(b'hidden hidden 16').decode()}",
        f"id:{'_' * 43}=",
    ],
    ids=["no id and no colon", "no id", "a comma too many", "no padding", "too short", "not base64"],
)
def test_what_is_no_key_is_refused_in_one_line_that_tells_none(bad: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(Settings, {"ENCRYPTION_KEYS": bad})

    assert str(refused.value) == (
        "ENCRYPTION_KEYS is not valid: "
        "Expected id:key between commas, each key as `openssl rand -base64 32` makes it"
    )


def test_two_keys_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="ENCRYPTION_KEYS has two keys of the id 2026"):
        read_keys(f"{NEW},{new_key('2026')}")
