"""What `make up` and `make demo` read from the environment, in one place."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct
from runtime.encrypt import EncryptionKeys
from runtime.settings import Port, SettingsError, load_settings
from testkit.ports import free_port, port_is_free
from testkit.repository import find_topology

API_PORT = 8000
CONSOLE_PORT = 8001
RECEIVER_PORT = 8002


class Environment(Struct, frozen=True, kw_only=True):
    """The variables as they are given; empty counts as unset."""

    api_port: Port | None = None
    console_port: Port | None = None
    receiver_port: Port | None = None
    postgres_port: Port | None = None
    engine_port: Port | None = None
    local_dir: str = ".local"
    webhook_url: Annotated[str, Meta(pattern=r"^https?://[^\s/]+")] | None = None
    webhook_secret: Annotated[str, Meta(pattern="^whsec_[A-Za-z0-9+/]{32,}=*$")] | None = None
    webhook_allow_networks: str = ""
    encryption_keys: EncryptionKeys | None = None
    clock: Annotated[datetime, Meta(tz=True)] | None = None
    auth: Literal["jwt", "off"] = "off"
    jwt_secret: str = ""
    jwks_url: str = ""
    jwt_issuer: str = "carillon-local"
    jwt_audience: str = "carillon"
    demo_users: Annotated[int, Meta(ge=1, le=500)] = 12
    topology_file: str | None = None


class Options(Struct, frozen=True, kw_only=True):
    """A local system's options. `clock` is the instant at which its services start; None is now.

    With a `console_port` there is the console, and the services are traced to it.

    `webhook_url` None starts the receiver and sends webhooks to it; they go to public addresses, to this
    machine and to `webhook_allow_networks`. With `auth` jwt and neither `jwt_secret` nor `jwks_url`, a secret
    is made and kept.
    """

    api_port: int
    receiver_port: int
    postgres_port: int
    engine_port: int
    local_dir: Path
    topology_file: Path
    console_port: int | None = None
    webhook_url: str | None = None
    webhook_secret: str | None = None
    webhook_allow_networks: str = ""
    encryption_keys: str | None = None
    clock: datetime | None = None
    auth: str = "off"
    jwt_secret: str = ""
    jwks_url: str = ""
    jwt_issuer: str = ""
    jwt_audience: str = ""
    demo_users: int = 12


def read_options(
    environment: Mapping[str, str],
    *,
    api_port: int = 0,
    console_port: int | None = None,
    receiver_port: int = 0,
) -> Options:
    """Read the options; the ports are the defaults, 0 for free ones.

    There is a console only with a `console_port`.

    Raises SettingsError, whose one line names the variable to change, also when a port is taken.
    """
    given = load_settings(Environment, environment)
    ports = {
        "api_port": given.api_port or api_port,
        "receiver_port": given.receiver_port or receiver_port,
        "postgres_port": given.postgres_port,
        "engine_port": given.engine_port,
    }
    if console_port is not None:
        ports["console_port"] = given.console_port or console_port
    chosen = {name: choose_port(name, port) for name, port in ports.items() if port}
    if len(set(chosen.values())) < len(chosen):
        raise SettingsError(f"{', '.join(name.upper() for name in chosen)} must differ from each other")
    for name in ports.keys() - chosen.keys():
        chosen[name] = another_free_port(set(chosen.values()))
    return Options(
        **chosen,
        local_dir=Path(given.local_dir).absolute(),
        topology_file=Path(given.topology_file).absolute() if given.topology_file else find_topology_file(),
        webhook_url=given.webhook_url,
        webhook_secret=given.webhook_secret,
        webhook_allow_networks=given.webhook_allow_networks,
        encryption_keys=given.encryption_keys,
        clock=given.clock.astimezone(UTC) if given.clock else None,
        auth=given.auth,
        jwt_secret=given.jwt_secret,
        jwks_url=given.jwks_url,
        jwt_issuer=given.jwt_issuer,
        jwt_audience=given.jwt_audience,
        demo_users=given.demo_users,
    )


def choose_port(name: str, port: int) -> int:
    """Return `port` if it can be listened on; SettingsError names the variable if not."""
    if not port_is_free(port):
        variable = name.upper()
        raise SettingsError(f"{variable}: port {port} is taken; set {variable} to another one")
    return port


def another_free_port(taken: set[int]) -> int:
    """Return a free port that is none of `taken`."""
    while (port := free_port()) in taken:
        pass
    return port


def find_topology_file() -> Path:
    """Return the topology of the repository we are in, or of the one this file is in."""
    for start in (Path.cwd(), Path(__file__).parent):
        try:
            return find_topology(start)
        except FileNotFoundError:
            continue
    raise SettingsError(
        "TOPOLOGY_FILE is not set, and no contracts/topology.yaml was found above this folder"
    )
