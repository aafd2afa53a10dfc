"""Encryption at rest: AES-256-GCM, with the id of its key beside what is encrypted, so that keys may change.

Stored is: the length of the key's id in one byte, the id, a nonce of 12 bytes, the ciphertext with its tag.
"""

import base64
import os
import re
from typing import Annotated
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Meta

# Random for each encryption: one key is good for 2^32 of them (NIST SP 800-38D §8.3).
NONCE_BYTES = 12
_KEY = r"[A-Za-z0-9_-]{1,32}:[A-Za-z0-9+/]{43}="
_BETWEEN = r"\s*,\s*"

EncryptionKeys = Annotated[
    str,
    Meta(
        pattern=rf"^{_KEY}({_BETWEEN}{_KEY})*$",
        description="id:key between commas, each key as `openssl rand -base64 32` makes it",
    ),
]
"""The variable ENCRYPTION_KEYS: its first key encrypts, and all decrypt."""


class UndecipherableError(Exception):
    """What is stored was encrypted with a key that is not there, for something else, or it was changed."""


class Keys:
    """The keys of a process, by id, and which of them encrypts."""

    def __init__(self, keys: dict[str, AESGCM]) -> None:
        self._keys = keys
        self._first = next(iter(keys))

    def encrypt(self, plain: bytes, *, about: bytes) -> bytes:
        """Encrypt `plain`, to be decrypted only as what it is `about`."""
        key_id = self._first.encode()
        nonce = os.urandom(NONCE_BYTES)
        return bytes([len(key_id)]) + key_id + nonce + self._keys[self._first].encrypt(nonce, plain, about)

    def decrypt(self, stored: bytes, *, about: bytes) -> bytes:
        """Decrypt what was stored as `about` the same. Raises UndecipherableError, which names the key."""
        start = 1 + stored[0] if stored else 0
        key_id = stored[1:start].decode("ascii", "replace")
        key = self._keys.get(key_id)
        if key is None:
            raise UndecipherableError(f"there is no key {key_id!r} in ENCRYPTION_KEYS")
        nonce, ciphertext = stored[start : start + NONCE_BYTES], stored[start + NONCE_BYTES :]
        try:
            return key.decrypt(nonce, ciphertext, about)
        except (InvalidTag, ValueError):
            raise UndecipherableError(f"key {key_id!r} does not decrypt what was stored") from None


def read_keys(setting: str) -> Keys:
    """Read ENCRYPTION_KEYS. Raises ValueError, which tells no key, when an id is there twice."""
    keys: dict[str, AESGCM] = {}
    for entry in re.split(_BETWEEN, setting):
        key_id, _, key = entry.partition(":")
        if key_id in keys:
            raise ValueError(f"ENCRYPTION_KEYS has two keys of the id {key_id}")
        keys[key_id] = AESGCM(base64.b64decode(key))
    return Keys(keys)


def new_key(key_id: str) -> str:
    """Make a key, as ENCRYPTION_KEYS has it."""
    return f"{key_id}:{base64.b64encode(AESGCM.generate_key(256)).decode()}"


def secret_of(endpoint_id: UUID) -> bytes:
    """Say what an endpoint's secret, the text `whsec_…`, is about; also once it is the previous one."""
    return b"secret of " + endpoint_id.bytes


def headers_of(endpoint_id: UUID) -> bytes:
    """Say what an endpoint's custom headers, a JSON object, are about."""
    return b"headers of " + endpoint_id.bytes
