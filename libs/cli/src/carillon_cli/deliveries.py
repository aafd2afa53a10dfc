"""`carillon deliveries`: what was sent where, how that ended, and sending it again."""

import time
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from carillon_cli.ask_api import Api, get, get_items, post
from carillon_cli.cannot import CannotError
from carillon_cli.options import DEFAULT_API_URL, ApiUrl, AsJson, Most, Token
from carillon_cli.show import show_fields, show_json, show_table

app = typer.Typer(no_args_is_help=True, help="What was sent where, how that ended, and sending it again.")

LOOK_EVERY_SECONDS = 0.5
LISTED = {
    "id": "delivery",
    "createdAt": "made",
    "eventType": "type",
    "status": "status",
    "attemptCount": "attempts",
    "nextAttemptAt": "next",
    "reason": "reason",
    "endpointId": "endpoint",
}
SHOWN = {
    "id": "delivery",
    "eventType": "type",
    "eventId": "webhook-id",
    "endpointId": "endpoint",
    "userId": "user",
    "status": "status",
    "reason": "reason",
    "createdAt": "made",
    "settledAt": "settled",
    "nextAttemptAt": "next",
}
ATTEMPTS = {
    "attempt": "attempt",
    "at": "at",
    "status": "status",
    "latencyMs": "ms",
    "error": "error",
    "responseBody": "answer",
    "traceId": "trace",
}


class Status(StrEnum):
    """How a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    MISSED = "missed"
    CANCELLED = "cancelled"


class Replayed(StrEnum):
    """How deliveries ended that are sent again; any is failed, missed and delivered."""

    FAILED = "failed"
    MISSED = "missed"
    ANY = "any"


Endpoint = Annotated[str | None, typer.Option("--endpoint", help="Only those to this endpoint.")]
Since = Annotated[
    str | None, typer.Option("--since", help="Made at this instant or later, such as 2030-01-31T09:00:00Z.")
]
Until = Annotated[str | None, typer.Option("--until", help="Made before this instant.")]


@app.command("list")
def list_deliveries(  # noqa: PLR0913 (options)
    *,
    endpoint: Endpoint = None,
    status: Annotated[Status | None, typer.Option(help="Only those that stand so.")] = None,
    since: Since = None,
    until: Until = None,
    user: Annotated[str | None, typer.Option(help="Only those that tell of this user.")] = None,
    most: Most = 50,
    as_json: AsJson = False,
    api_url: ApiUrl = DEFAULT_API_URL,
    token: Token = None,
) -> None:
    """List deliveries, the newest first."""
    query = {"endpointId": endpoint, "status": status, "since": since, "until": until, "userId": user}
    items = get_items(Api(api_url, token), "/delivery", query, most=most)
    show_json(items) if as_json else show_table(LISTED, items)


@app.command()
def show(
    *,
    delivery: Annotated[str, typer.Argument(help="Its id.")],
    as_json: AsJson = False,
    api_url: ApiUrl = DEFAULT_API_URL,
    token: Token = None,
) -> None:
    """Show a delivery with its attempts."""
    answer = get(Api(api_url, token), f"/delivery/{delivery}")
    if as_json:
        show_json(answer)
        return
    show_fields(answer, SHOWN)
    show_table(ATTEMPTS, answer["attempts"])


@app.command()
def retry(  # noqa: PLR0913 (options)
    *,
    delivery: Annotated[str | None, typer.Argument(help="One delivery's id; or name an --endpoint.")] = None,
    endpoint: Endpoint = None,
    since: Since = None,
    until: Until = None,
    status: Annotated[Replayed, typer.Option(help="Ended so.")] = Replayed.FAILED,
    wait: Annotated[bool, typer.Option(help="Wait until all are on their way.")] = True,
    as_json: AsJson = False,
    api_url: ApiUrl = DEFAULT_API_URL,
    token: Token = None,
) -> None:
    """Send a delivery again; or, with --endpoint and --since, all that an endpoint has missed."""
    api = Api(api_url, token)
    if delivery is not None and endpoint is None and since is None and until is None:
        answer = post(api, f"/delivery/{delivery}/retry")
        show_json(answer) if as_json else show_fields(answer, SHOWN)
        return
    if delivery is not None or endpoint is None or since is None:
        raise CannotError("retry takes a delivery's id, or --endpoint and --since")
    asked = {"endpointId": endpoint, "since": since, "until": until, "status": status}
    replay = post(api, "/delivery/retry", asked)
    if wait:
        replay = _finished(api, replay)
    if as_json:
        show_json(replay)
    else:
        print(f"{replay['reopened']} of {replay['count']} deliveries are on their way again")  # noqa: T201


def _finished(api: Api, replay: dict[str, object]) -> dict[str, object]:
    """Follow a replay to its end, with a bar for whoever looks."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("sending again", total=int(str(replay["count"])) or None)
        while replay["finishedAt"] is None:
            time.sleep(LOOK_EVERY_SECONDS)
            replay = get(api, f"/replay/{replay['id']}")
            progress.update(task, completed=int(str(replay["reopened"])))
    return replay
