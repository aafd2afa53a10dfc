"""`python -m carillon_local.up`: the whole system, until Ctrl-C."""

import asyncio
import os
import sys

from runtime.settings import SettingsError
from testkit.child_process import StartFailedError
from testkit.postgres_binaries import FilesError

from carillon_local.auth import how_to_call
from carillon_local.console import REQUEST_ID
from carillon_local.foreground import until_told
from carillon_local.local_folder import ENV, write_env
from carillon_local.options import API_PORT, CONSOLE_PORT, RECEIVER_PORT, Options, read_options
from carillon_local.program import ChildFailedError
from carillon_local.system import LocalSystem

NAME_WIDTH = 14


def echo(name: str, line: str) -> None:
    """Print a line that a process wrote, with its name; what the console asks is in the logs alone."""
    if f"requestId={REQUEST_ID}" in line:
        return
    say(f"{name:>{NAME_WIDTH}} | {line}")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def up(options: Options) -> int:
    """Keep the system running until told to stop."""
    system = LocalSystem(options, say=say, echo=echo)
    env = options.local_dir / ENV

    async def run() -> int:
        env.unlink(missing_ok=True)
        async with system:
            write_env(options.local_dir, connection(system))
            say(where(system))
            try:
                await asyncio.Event().wait()
            finally:
                env.unlink(missing_ok=True)
        return 0

    return await until_told(run, system.send_kill, when_told=0)


def connection(system: LocalSystem) -> dict[str, str]:
    """Return what an outside program needs to connect."""
    return {
        "API_URL": system.api_url,
        "CONSOLE_URL": system.console_url,
        "DATABASE_URL": system.database_url(),
        **system.engine.environment(),
        "CARILLON_ENV": "local",
        "TOPOLOGY_FILE": str(system.options.topology_file),
        "WEBHOOK_URL": system.webhook_url,
        "WEBHOOK_SECRET": system.webhook_secret,
        "CLOCK_OFFSET_SECONDS": str(system.clock_offset_seconds),
        **{name: value for name, value in system.auth.items() if name != "AUTH"},
    }


def where(system: LocalSystem) -> str:
    """Return where everything is, for people."""
    received = f"{system.receiver_url}/deliveries" if system.options.webhook_url is None else "elsewhere"
    return "\n".join(
        [
            "",
            f"  API         {system.api_url}",
            f"  console     {system.console_url}",
            f"  auth        {how_to_call(system.options)}",
            f"  webhooks    {system.webhook_url}",
            f"  received    {received}",
            f"  secret      {system.webhook_secret}",
            f"  database    {system.database_url()}",
            f"  SNS/SQS     {system.engine.url}",
            f"  connect     source {system.options.local_dir / ENV}",
            f"  logs        {system.logs}",
            "",
            "Ctrl-C drains and stops everything.",
            "",
        ]
    )


def main() -> None:
    """Run; a bad or taken variable is one line and exit 2, a failure its reason and exit 1."""
    try:
        options = read_options(
            os.environ, api_port=API_PORT, console_port=CONSOLE_PORT, receiver_port=RECEIVER_PORT
        )
        code = asyncio.run(up(options))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except (ChildFailedError, FilesError, StartFailedError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    sys.exit(code)


if __name__ == "__main__":
    main()
