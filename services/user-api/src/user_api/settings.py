"""What the user API reads from its environment."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta
from runtime.encrypt import EncryptionKeys, read_keys
from runtime.settings import Count, DatabaseUrl, Port, Seconds, ServiceSettings

from user_api.token_share import Limit

LEAST_SECRET_BYTES = 32  # RFC 7518 §3.2: as long as the hash
_ORIGIN = r"https?://(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?"

JwksUrl = Annotated[
    str,
    Meta(
        pattern=r"^https?://[^\s/?#]+([/?][^\s#]*)?$",
        description="a URL such as https://issuer.example/.well-known/jwks.json",
    ),
]
Origins = Annotated[
    str,
    Meta(
        pattern=rf"^(\*|{_ORIGIN}(\s*,\s*{_ORIGIN})*)$",
        description="* or origins as browsers send them, such as https://app.example.com, between commas",
    ),
]


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """Where to listen, and who may call; `auth` has no default, so nobody is let in by omission.

    With AUTH=jwt, JWT_ISSUER, JWT_AUDIENCE and one of JWT_SECRET (HS256) and JWKS_URL (RS256, ES256) are set.
    """

    auth: Literal["jwt", "off"]
    api_port: Port
    # What endpoints keep secret; the webhook worker has the same.
    encryption_keys: EncryptionKeys
    api_host: str = "127.0.0.1"
    # Reads go there where read-your-writes allows it, while it is at most so far behind.
    database_replica_url: DatabaseUrl | None = None
    replica_lag_seconds: Annotated[float, Meta(ge=3, le=600)] = 5
    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwt_secret: str = ""
    jwks_url: JwksUrl = ""
    jwks_refresh_seconds: Annotated[float, Meta(ge=10, le=86_400)] = 300
    # Whose pages may call the API from a browser; none by default.
    cors_origins: Origins = ""
    # For a client, over all processes: requests a second, and how many at once after a pause.
    rate_limit: Literal["on", "off"] = "on"
    rate_limit_per_second: Annotated[float, Meta(gt=0, le=1e6)] = 500
    rate_limit_burst: Annotated[Count, Meta(le=1_000_000)] = 1000
    # For answering a request, and for each piece of its body; an import has only the latter.
    request_timeout_seconds: Seconds = 30
    request_body_timeout_seconds: Seconds = 10

    @property
    def limit(self) -> Limit:
        """The rate limit of a client."""
        return Limit(self.rate_limit_per_second, self.rate_limit_burst)

    def __post_init__(self) -> None:
        """Refuse to be open to the world, and tokens that nobody could verify."""
        super().__post_init__()
        read_keys(self.encryption_keys)
        if self.auth == "off":
            if self.carillon_env != "local":
                raise ValueError("AUTH=off is allowed only with CARILLON_ENV=local")
            return
        for variable, value in (("JWT_ISSUER", self.jwt_issuer), ("JWT_AUDIENCE", self.jwt_audience)):
            if not value:
                raise ValueError(f"{variable} is not set, and AUTH=jwt needs it")
        if bool(self.jwt_secret) == bool(self.jwks_url):
            raise ValueError("AUTH=jwt needs one of JWT_SECRET and JWKS_URL, and not both")
        if self.jwt_secret and len(self.jwt_secret.encode()) < LEAST_SECRET_BYTES:
            raise ValueError(f"JWT_SECRET is shorter than {LEAST_SECRET_BYTES} bytes")
        if self.jwks_url and not _has_host(self.jwks_url):
            raise ValueError("JWKS_URL has no host, or a port that is none")


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
