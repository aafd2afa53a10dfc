"""The command `carillon`: each subcommand is a file of its own."""

import sys

import typer

from carillon_cli.cannot import CannotError
from carillon_cli.dead_letters import app as dead_letters
from carillon_cli.deliveries import app as deliveries
from carillon_cli.events import app as events
from carillon_cli.import_file import import_file
from carillon_cli.topology import app as topology

EXIT_CANNOT = 2

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("import")(import_file)
app.add_typer(deliveries, name="deliveries")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(topology, name="topology")
app.add_typer(events, name="events")


@app.callback()
def carillon() -> None:
    """Carillon at a terminal: what operators and integrators do with its REST API and its topics."""


def main() -> None:
    """Run the command; what it cannot do is one line and exit code 2."""
    try:
        app()
    except CannotError as error:
        sys.stderr.write(f"carillon: {error}\n")
        sys.exit(EXIT_CANNOT)
