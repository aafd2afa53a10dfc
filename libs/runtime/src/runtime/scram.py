"""SCRAM-SHA-256 verifiers, what PostgreSQL keeps of a password (RFC 5802 §3, RFC 7677)."""

import base64
import hashlib
import hmac

ITERATIONS = 4096  # PostgreSQL's own


def scram_verifier(password: str, *, salt: bytes) -> str:
    """Return the SCRAM-SHA-256 verifier of a password of ASCII, which SASLprep leaves as it is."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ITERATIONS}:{_base64(salt)}${_base64(stored)}:{_base64(server)}"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
