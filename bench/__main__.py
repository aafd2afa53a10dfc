"""`python -m bench [NAME …] [--quick] [--json FILE]`: measure, print one table, write one file."""

import argparse
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from rich.console import Console

from bench import (
    api,
    claim,
    claim_among,
    end_to_end,
    import_users,
    instants,
    isolation,
    pick_up,
    plan,
    relay,
    tracing,
    webhook,
)
from bench.conditions import conditions
from bench.figures import Report
from bench.results import Results, table, write
from bench.scratch import log_into_nothing

BENCHES: dict[str, Callable[..., Awaitable[Report]]] = {
    "api": api.run,
    "import_users": import_users.run,
    "instants": instants.run,
    "plan": plan.run,
    "claim": claim.run,
    "claim_among": claim_among.run,
    "pick_up": pick_up.run,
    "relay": relay.run,
    "webhook": webhook.run,
    "isolation": isolation.run,
    "end_to_end": end_to_end.run,
    "tracing": tracing.run,
}
INTERRUPTED = 130
WIDE = 190  # in a file or a pipe, where there is no width to keep to
RESULTS = Path(__file__).with_name("results.json")


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Carillon beside bare peers.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHES)}; all by default"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a fraction of the work, once: to see that it runs"
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help=f"where the figures go; a whole run's go to bench/{RESULTS.name}",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - BENCHES.keys():
        parser.error(f"no such bench: {', '.join(sorted(unknown))}")
    return arguments


def main() -> None:
    """Run what was asked for."""
    arguments = read_arguments()
    # Told to end, it stops what it started and removes what it wrote, as after Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    console = Console(stderr=True)
    log_into_nothing()
    names = [name for name in BENCHES if name in arguments.names or not arguments.names]
    under = uvloop.run(conditions(quick=arguments.quick))
    reports = {}
    for name in names:
        with console.status(f"measuring {name} …"):
            reports[name] = uvloop.run(measured(name, quick=arguments.quick))
    results = Results(conditions=under, benches=reports)
    Console(width=None if sys.stdout.isatty() else WIDE).print(table(results))
    whole = names == list(BENCHES) and not arguments.quick
    if file := arguments.json or (RESULTS if whole else None):
        write(results, file)


async def measured(name: str, *, quick: bool) -> Report:
    """Run one bench."""
    return await BENCHES[name](quick=quick)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
