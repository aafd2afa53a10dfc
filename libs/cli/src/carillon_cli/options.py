"""The options that every command which asks the API has."""

from typing import Annotated

import typer

ApiUrl = Annotated[
    str, typer.Option("--api-url", envvar="CARILLON_API_URL", help="Where the API is, such as https://host.")
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="CARILLON_TOKEN",
        help="The bearer token, of an admin or a service.",
        show_envvar=True,
    ),
]
Most = Annotated[int, typer.Option("--limit", help="How many at most.", min=1)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DEFAULT_API_URL = "http://127.0.0.1:8000"
