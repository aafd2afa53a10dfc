"""`python -m carillon_local.make_token`: a token for the API, signed with the secret that it knows."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import OctKey
from msgspec import Meta, Struct
from runtime.settings import SettingsError, load_settings
from user_api.settings import LEAST_SECRET_BYTES

from carillon_local.local_folder import read_env


class Environment(Struct, frozen=True, kw_only=True):
    """Whom the token is for, for how long, and what signs it; a running system tells the last three."""

    role: Literal["admin", "service", "user"] = "user"
    user_id: str = ""
    minutes: Annotated[int, Meta(ge=1, le=60 * 24 * 366)] = 60
    jwt_secret: str = ""
    jwt_issuer: str = ""
    jwt_audience: str = ""


def make_token(environment: Mapping[str, str], *, now: int) -> str:
    """Sign a token, good from `now` (seconds since 1970) on. Raises SettingsError."""
    folder = environment.get("LOCAL_DIR") or ".local"
    given = load_settings(Environment, {**read_env(Path(folder)), **filled(environment)})
    if not given.jwt_secret:
        raise SettingsError(f"JWT_SECRET is not set, and no `make up AUTH=jwt` runs in {folder}")
    if len(given.jwt_secret.encode()) < LEAST_SECRET_BYTES:
        raise SettingsError(f"JWT_SECRET is shorter than {LEAST_SECRET_BYTES} bytes")
    for variable, value in (("JWT_ISSUER", given.jwt_issuer), ("JWT_AUDIENCE", given.jwt_audience)):
        if not value:
            raise SettingsError(f"{variable} is not set")
    claims = {
        "iss": given.jwt_issuer,
        "aud": given.jwt_audience,
        "sub": subject(given),
        "roles": [given.role],
        "iat": now,
        "exp": now + given.minutes * 60,
    }
    try:
        key = OctKey.import_key(given.jwt_secret)
    except ValueError:
        raise SettingsError("JWT_SECRET is a public key, which is no secret") from None
    return jwt.encode({"alg": "HS256"}, claims, key)


def subject(given: Environment) -> str:
    """Return whom the token names: a user, or an admin or a service without a name."""
    if given.user_id:
        try:
            return str(UUID(given.user_id))
        except ValueError:
            raise SettingsError("USER_ID is not a UUID") from None
    if given.role == "user":
        raise SettingsError("USER_ID is not set, and a user's token needs one; or set ROLE=admin")
    return f"make-token-{given.role}"


def filled(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that are not blank: a blank one counts as unset."""
    return {name: value for name, value in environment.items() if value.strip()}


def main() -> None:
    """Print a token; what is missing or bad is one line and exit 2."""
    try:
        token = make_token(os.environ, now=int(time.time()))
    except SettingsError as error:
        sys.stderr.write(f"token: {error}\n")
        sys.exit(2)
    sys.stdout.write(f"{token}\n")


if __name__ == "__main__":
    main()
