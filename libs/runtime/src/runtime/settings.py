"""Settings: the environment, read once in one place into a frozen Struct."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

# Bounded, which keeps out what is no number of seconds either: nan and inf.
Seconds = Annotated[float, Meta(ge=0, le=7 * 86_400)]
Count = Annotated[int, Meta(ge=1)]
Port = Annotated[int, Meta(ge=1, le=65535)]
HOST = r"(\[[0-9a-fA-F:.]+\]|[^\[\]:,@/?#]*)(:[0-9]{1,5})?"
DatabaseUrl = Annotated[
    str,
    Meta(
        pattern=rf"^postgres(ql)?://([^/?#]*@)?{HOST}(,{HOST})*([/?].*)?$",
        description="a URL such as postgres://role@host:5432/database",
    ),
]
T = TypeVar("T", bound=Struct)


class SettingsError(Exception):
    """A variable is missing or bad; the message is one line that names it, never its value."""


class ServiceSettings(Struct, frozen=True, kw_only=True):
    """What every service reads. Durations are seconds."""

    carillon_env: Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,19}$")]
    database_url: DatabaseUrl
    topology_file: str
    database_pool_size: Count = 8
    # 0 behind a PgBouncer in transaction mode, which cannot keep prepared statements.
    database_statement_cache: Annotated[int, Meta(ge=0)] = 200
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    start_timeout_seconds: Seconds = 60
    drain_timeout_seconds: Seconds = 25
    # Business clock = the database's now() + this; only a local system may be off the true time.
    clock_offset_seconds: Annotated[float, Meta(ge=-1e10, le=1e10)] = 0

    def __post_init__(self) -> None:
        """Refuse a shifted clock outside a local system."""
        if self.clock_offset_seconds and self.carillon_env != "local":
            raise ValueError("CLOCK_OFFSET_SECONDS may be set only with CARILLON_ENV=local")


class WorkerSettings(ServiceSettings, frozen=True, kw_only=True):
    """What the services behind the API read as well: where SNS and SQS are, and where health is answered.

    Credentials and AWS_ENDPOINT_URL are read by the AWS client itself.
    """

    aws_region: Annotated[str, Meta(min_length=1)]
    aws_account_id: Annotated[str, Meta(pattern="^[0-9]{12}$")]
    health_port: Port
    health_host: str = "127.0.0.1"


def load_settings(struct: type[T], environment: Mapping[str, str]) -> T:
    """Read `struct` from `environment`: field `database_url` is DATABASE_URL, blank counts as unset.

    Raises SettingsError, whose one line names the variable.
    """
    values = {}
    for field in msgspec.structs.fields(struct):
        variable = field.name.upper()
        raw = environment.get(variable, "").strip()  # a secret read from a file ends with a line break
        if raw:
            try:
                values[field.name] = msgspec.convert(raw, field.type, strict=False)
            except msgspec.ValidationError as error:
                raise SettingsError(f"{variable} is not valid: {expected(field.type, error)}") from None
        elif field.required:
            raise SettingsError(f"{variable} is not set")
    try:
        return struct(**values)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def expected(kind: Any, error: msgspec.ValidationError) -> str:  # noqa: ANN401 (a field's type is anything)
    """Return what a variable must be, without its value, which msgspec repeats where it is a choice."""
    if get_origin(kind) is Literal:
        return f"Expected one of {', '.join(map(str, get_args(kind)))}"
    for meta in getattr(kind, "__metadata__", ()):
        if meta.description:
            return f"Expected {meta.description}"
    return str(error)
