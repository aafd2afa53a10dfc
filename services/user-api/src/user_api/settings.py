"""What the user API reads from its environment."""

from typing import Annotated, Literal

from msgspec import Meta
from runtime.settings import DatabaseUrl, Port, ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """Where to listen, and who may call; `auth` has no default, so nobody is let in by omission."""

    auth: Literal["off"]
    api_port: Port
    api_host: str = "127.0.0.1"
    # Reads go there where read-your-writes allows it, while it is at most so far behind.
    database_replica_url: DatabaseUrl | None = None
    replica_lag_seconds: Annotated[float, Meta(ge=3, le=600)] = 5

    def __post_init__(self) -> None:
        """Refuse to be open to the world."""
        super().__post_init__()
        if self.carillon_env != "local":
            raise ValueError("AUTH=off is allowed only with CARILLON_ENV=local")
