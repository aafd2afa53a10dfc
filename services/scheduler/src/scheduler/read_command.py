"""What `python -m scheduler` is asked to do."""

import argparse
from collections.abc import Sequence

ABOUT = """
Plans occurrences from users' events, emits the due ones and records how they ended. Without a command it does
so until SIGTERM.
"""
ONCE = """
Emits what is due, plans and records what waits in both queues, emits again what went unanswered, looks after
the tables, and ends: with 0, or with 1 and the reason. For cron and for a Lambda function; any number may run
side by side.
"""
REPLAN = """
Plans what was planned under another release of the tz database again, beside running schedulers, and prints
what moved: the occasion, its zone, when it was due and when it is. May be cut off and started again. Ends
with 0, or with 1 if there are some that this release cannot plan. Reads DATABASE_URL and no queue.
"""


def read_command(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what was asked for: `command` (None, `once` or `replan`) and `dry_run`.

    Exits 0 after --help, and 2 on anything else.
    """
    parser = argparse.ArgumentParser(prog="scheduler", description=ABOUT)
    commands = parser.add_subparsers(dest="command", metavar="[COMMAND]")
    commands.add_parser("once", help="do one round and end", description=ONCE)
    replan = commands.add_parser("replan", help="plan again under this tz database", description=REPLAN)
    replan.add_argument("--dry-run", action="store_true", help="tell what would move, and write nothing")
    return parser.parse_args(arguments)
