"""Secrets that sign webhooks (Standard Webhooks 1.0.0)."""

import base64
import secrets
from uuid import UUID

from runtime.encrypt import Keys, secret_of

SECRET_BYTES = 32  # between the 24 and the 64 that the standard allows


def make_secret() -> str:
    """Make a secret, `whsec_` and base64."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def encrypt_secret(keys: Keys, endpoint_id: UUID, secret: str) -> bytes:
    """Encrypt an endpoint's secret to be stored."""
    return keys.encrypt(secret.encode(), about=secret_of(endpoint_id))
