"""The webhook receiver as a process of its own: a line a delivery, until SIGTERM or SIGINT."""

import asyncio
import os
import signal
import sys
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from runtime.settings import Port, SettingsError, load_settings

from testkit.ports import LOOPBACK
from testkit.received import Received
from testkit.receiver import Receiver


class Settings(Struct, frozen=True, kw_only=True):
    """The receiver's environment; `clock_offset_seconds` is the business clock's, for the lag."""

    receiver_port: Port
    receiver_host: str = LOOPBACK
    webhook_secret: Annotated[str, Meta(pattern="^whsec_[A-Za-z0-9+/]{32,}=*$")]
    log_format: Literal["json", "console"] = "json"
    clock_offset_seconds: float = 0


def readable(record: Received) -> str:
    """Return one delivery as a line for people."""
    body = record.body if isinstance(record.body, dict) else {}
    lag = "" if record.lag_ms is None else f"  {record.lag_ms:.0f} ms after its time"
    signature = "signature ok" if record.valid else "BAD SIGNATURE"
    repeat = "  again" if record.repeat else ""
    return f"{record.status}  {signature}  {record.webhook_id}  {body.get('message', '')}{lag}{repeat}"


def as_json(record: Received) -> str:
    """Return one delivery as a JSON line."""
    return msgspec.json.encode({"event": "webhook.received", **msgspec.to_builtins(record)}).decode()


async def serve(settings: Settings) -> None:
    """Receive until told to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    line = readable if settings.log_format == "console" else as_json

    def say(record: Received) -> None:
        sys.stdout.write(f"{line(record)}\n")
        sys.stdout.flush()

    async with Receiver(
        secret=settings.webhook_secret,
        host=settings.receiver_host,
        port=settings.receiver_port,
        clock_offset_seconds=settings.clock_offset_seconds,
        on_delivery=say,
    ):
        await stop.wait()


def main() -> None:
    """Run; a bad variable is one line and exit 2, a taken port one line and exit 1."""
    try:
        asyncio.run(serve(load_settings(Settings, os.environ)))
    except SettingsError as error:
        sys.stderr.write(f"receiver: {error}\n")
        sys.exit(2)
    except OSError as error:
        sys.stderr.write(f"receiver: {error}\n")
        sys.exit(1)
