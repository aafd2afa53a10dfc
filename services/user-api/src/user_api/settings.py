"""What the user API reads from its environment."""

from typing import Annotated, Literal

from msgspec import Meta
from runtime.settings import Count, Port, Seconds, ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """Where to listen, and who may call; `auth` has no default, so nobody is let in by omission."""

    auth: Literal["off"]
    api_port: Port
    api_host: str = "127.0.0.1"
    # For a client, over all processes: requests a second, and how many at once after a pause.
    rate_limit: Literal["on", "off"] = "on"
    rate_limit_per_second: Annotated[float, Meta(gt=0, le=1e6)] = 500
    rate_limit_burst: Annotated[Count, Meta(le=1_000_000)] = 1000
    # For answering a request, and for each piece of its body; an import has only the latter.
    request_timeout_seconds: Seconds = 30
    request_body_timeout_seconds: Seconds = 10

    def __post_init__(self) -> None:
        """Refuse to be open to the world."""
        super().__post_init__()
        if self.carillon_env != "local":
            raise ValueError("AUTH=off is allowed only with CARILLON_ENV=local")
