"""`python -m carillon_local.demo`: a dozen birthdays around the world, delivered within seconds."""

import asyncio
import os
import sys
from typing import Any

import httpx
from msgspec import structs
from rich.console import Console
from runtime.settings import SettingsError
from testkit.child_process import StartFailedError
from testkit.postgres_binaries import FilesError

from carillon_local.demo_result import Result
from carillon_local.demo_watch import DemoFailedError, create_users, watch
from carillon_local.foreground import until_told
from carillon_local.live_table import LiveTable
from carillon_local.options import Options, read_options
from carillon_local.program import ChildFailedError
from carillon_local.system import LocalSystem

INTERRUPTED = 130


async def demo(options: Options, console: Console) -> int:
    """Start a system of its own, carry the demo out, stop it; return the exit code."""
    system = LocalSystem(options, fresh=True, restarts=False, say=console.out)

    async def run() -> int:
        async with system:
            result = await unless_one_dies(system, console)
        for reason in result.reasons:
            sys.stderr.write(f"demo: {reason}; the logs are in {system.logs}\n")
        sys.stderr.flush()
        console.out(result.summary(), highlight=False)
        return 1 if result.reasons else 0

    return await until_told(run, system.send_kill, when_told=INTERRUPTED)


async def unless_one_dies(system: LocalSystem, console: Console) -> Result:
    """Carry the demo out; raises the ChildFailedError of a process that dies meanwhile."""
    ringing = asyncio.create_task(ring(system, console))
    either: list[asyncio.Future[Any]] = [ringing, system.died]
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if system.died.done():
            system.died.result()
        return await ringing
    finally:
        ringing.cancel()
        await asyncio.wait({ringing})


async def ring(system: LocalSystem, console: Console) -> Result:
    """Create the users and watch their birthdays ring."""
    count, offset = system.options.demo_users, system.clock_offset_seconds
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        users = await create_users(http, system.api_url, count, clock_offset_seconds=offset)
        console.out(f"created {count} users over REST; their birthdays ring within seconds", highlight=False)
        with LiveTable(console) as table:
            return await watch(http, system.receiver_url, users, table)


def main() -> None:
    """Run; a bad or taken variable is one line and exit 2, a failure its reason and exit 1."""
    try:
        options = read_options(os.environ)
        # Webhooks go to the demo's own receiver, whatever is set: what arrives elsewhere it cannot count.
        # And nobody else calls its API.
        own = structs.replace(options, local_dir=options.local_dir / "demo", webhook_url=None, auth="off")
        code = asyncio.run(demo(own, Console(highlight=False)))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except (ChildFailedError, DemoFailedError, FilesError, StartFailedError, httpx.HTTPError) as error:
        sys.stderr.write(f"demo: {error}\n")
        sys.exit(1)
    sys.exit(code)


if __name__ == "__main__":
    main()
