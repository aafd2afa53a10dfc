"""What the user API reads from its environment."""

from typing import Literal

from runtime.settings import Port, ServiceSettings


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """Where to listen, and who may call; `auth` has no default, so nobody is let in by omission."""

    auth: Literal["off"]
    api_port: Port
    api_host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        """Refuse to be open to the world."""
        super().__post_init__()
        if self.carillon_env != "local":
            raise ValueError("AUTH=off is allowed only with CARILLON_ENV=local")
