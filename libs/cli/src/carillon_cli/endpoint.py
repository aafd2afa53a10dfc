"""Where topics and queues are: options, and clients whose failures are one line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import BotoCoreError, ClientError
from messaging.topology import Topology, TopologyError, load_topology
from msgspec import Struct
from runtime.aws import open_sns, open_sqs
from types_aiobotocore_sns import SNSClient
from types_aiobotocore_sqs import SQSClient

from carillon_cli.cannot import CannotError

CONNECTIONS = 16
TOPOLOGY = Path("contracts/topology.yaml")
LOCAL = "local"

TopologyFile = Annotated[Path, typer.Option("--file", envvar="TOPOLOGY_FILE", help="The topology.")]
Region = Annotated[
    str, typer.Option(envvar="AWS_REGION", help="The region; AWS_ENDPOINT_URL leads elsewhere.")
]
Environment = Annotated[
    str, typer.Option(envvar="CARILLON_ENV", help="The environment: names are carillon-{environment}-….")
]


class Endpoint(Struct, frozen=True, kw_only=True):
    """Clients of SNS and SQS."""

    sns: SNSClient
    sqs: SQSClient


@asynccontextmanager
async def open_endpoint(region: str) -> AsyncIterator[Endpoint]:
    """Open clients; what SNS or SQS refuse, or nobody answers, raises CannotError."""
    try:
        async with (
            open_sns(region, connections=CONNECTIONS) as sns,
            open_sqs(region, connections=CONNECTIONS) as sqs,
        ):
            yield Endpoint(sns=sns, sqs=sqs)
    except (BotoCoreError, ClientError, OSError) as error:
        raise CannotError(str(error)) from None


def asked(file: Path) -> Topology:
    """Read the topology that was asked for; CannotError says what is wrong with it."""
    try:
        return load_topology(file)
    except TopologyError as error:
        raise CannotError(str(error)) from None
