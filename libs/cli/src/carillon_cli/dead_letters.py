"""`carillon dead-letters`: messages that nobody could handle, and sending them back."""

from enum import StrEnum
from typing import Annotated

import typer

from carillon_cli.ask_api import Api, get, get_items, post
from carillon_cli.cannot import CannotError
from carillon_cli.options import DEFAULT_API_URL, ApiUrl, AsJson, Most, Token
from carillon_cli.show import show_fields, show_json, show_table

app = typer.Typer(no_args_is_help=True, help="Messages that nobody could handle, and sending them back.")

LISTED = {
    "id": "dead letter",
    "receivedAt": "received",
    "queue": "queue",
    "eventType": "type",
    "status": "status",
    "reason": "reason",
}
SHOWN = {
    "id": "dead letter",
    "queue": "queue",
    "source": "by",
    "messageId": "message",
    "eventType": "type",
    "reason": "reason",
    "receivedAt": "received",
    "status": "status",
    "redriveError": "not sent back",
    "redrivenAt": "sent back",
    "body": "body",
}


class Status(StrEnum):
    """How a dead letter stands."""

    OPEN = "open"
    REDRIVING = "redriving"
    REDRIVEN = "redriven"
    ERASED = "erased"


Queue = Annotated[str | None, typer.Option("--queue", help="A queue, such as webhook-critical.")]


@app.command("list")
def list_dead_letters(
    *,
    queue: Queue = None,
    status: Annotated[Status | None, typer.Option(help="Only those that stand so.")] = None,
    most: Most = 50,
    as_json: AsJson = False,
    api_url: ApiUrl = DEFAULT_API_URL,
    token: Token = None,
) -> None:
    """List dead letters, the newest first."""
    query = {"queue": queue, "status": status}
    items = get_items(Api(api_url, token), "/dead-letter", query, most=most)
    show_json(items) if as_json else show_table(LISTED, items)


@app.command()
def show(
    *,
    dead_letter: Annotated[str, typer.Argument(help="Its id.")],
    as_json: AsJson = False,
    api_url: ApiUrl = DEFAULT_API_URL,
    token: Token = None,
) -> None:
    """Show a dead letter with all it says."""
    answer = get(Api(api_url, token), f"/dead-letter/{dead_letter}")
    show_json(answer) if as_json else show_fields(answer, SHOWN)


@app.command()
def redrive(
    *,
    dead_letters: Annotated[list[str] | None, typer.Argument(help="Their ids; or name a --queue.")] = None,
    queue: Queue = None,
    as_json: AsJson = False,
    api_url: ApiUrl = DEFAULT_API_URL,
    token: Token = None,
) -> None:
    """Send open dead letters back to where they were meant for: these, or all of a queue."""
    if bool(dead_letters) == bool(queue):
        raise CannotError("redrive takes ids of dead letters, or --queue")
    asked = {"ids": dead_letters or None, "queue": queue}
    answer = post(Api(api_url, token), "/dead-letter/redrive", asked)
    if as_json:
        show_json(answer)
    else:
        print(f"{answer['count']} dead letters are on their way back")  # noqa: T201
