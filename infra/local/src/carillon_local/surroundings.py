"""The environment of the processes: what is inherited, and what the local system decides."""

import os
import sys

from testkit.engine import Engine
from testkit.ports import LOOPBACK

# A developer's own AWS profile, database or proxy must not leak into a local system; nor who may call the API
# or what it encrypts with into its other services.
NOT_INHERITED = ("AWS_", "PG", "DATABASE_", "JWT_", "JWKS_URL", "ENCRYPTION_KEYS")


def inherited() -> dict[str, str]:
    """Return our environment without what would steer the system, and with no proxy before the loopback."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    without_proxy = ",".join(
        filter(None, [kept.get("NO_PROXY"), kept.get("no_proxy"), LOOPBACK, "localhost"])
    )
    return {**kept, "NO_PROXY": without_proxy, "no_proxy": without_proxy, "PYTHONUNBUFFERED": "1"}


def broker(engine: Engine) -> dict[str, str]:
    """Return what an AWS client needs to find the engine and nothing else."""
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**engine.environment(), **nowhere, "AWS_EC2_METADATA_DISABLED": "true"}


def module(name: str) -> list[str]:
    """Return the command that runs a Python module with our interpreter."""
    return [sys.executable, "-m", name]
