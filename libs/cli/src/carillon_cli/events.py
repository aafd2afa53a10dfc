"""`carillon events tail TYPE`: show what is published, as it is published."""

import asyncio
import signal
import sys
from typing import Annotated

import typer
from messaging.tail import follow, temporary_queue
from messaging.topology import topic_name
from types_aiobotocore_sns import SNSClient

from carillon_cli.cannot import CannotError
from carillon_cli.endpoint import LOCAL, TOPOLOGY, Environment, Region, TopologyFile, asked, open_endpoint

app = typer.Typer(no_args_is_help=True, help="Events as they are published.")


@app.callback()
def events() -> None:
    """Events as they are published."""


@app.command("tail")
def tail_events(
    event_type: Annotated[str, typer.Argument(help="An event type of the topology, such as BirthdayDue.")],
    region: Region,
    topology_file: TopologyFile = TOPOLOGY,
    environment: Environment = LOCAL,
) -> None:
    """Print each event of a type from now on, a CloudEvent a line, until Ctrl-C.

    It listens with a queue of its own, which it removes at the end; what a killed one left, the next removes.
    """
    topology = asked(topology_file)
    if event_type not in topology.event_types:
        raise CannotError(
            f"no event type is called {event_type}; there are {', '.join(topology.event_types)}"
        )
    name = topic_name(environment, topology.event_types[event_type].topic)

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with open_endpoint(region) as endpoint:
            topic = await find_topic(endpoint.sns, name)
            async with temporary_queue(endpoint.sns, endpoint.sqs, environment, topic) as url:
                sys.stderr.write(f"following {name}; Ctrl-C ends it\n")
                await follow(endpoint.sqs, url, stop, show)

    asyncio.run(until_stopped())


async def find_topic(sns: SNSClient, name: str) -> str:
    """Return the topic's ARN. Raises CannotError where there is none."""
    async for page in sns.get_paginator("list_topics").paginate():
        for topic in page["Topics"]:
            if topic["TopicArn"].endswith(f":{name}"):
                return topic["TopicArn"]
    raise CannotError(f"there is no topic {name}: `carillon topology apply` makes it")


def show(body: str) -> None:
    """Print a message at once."""
    sys.stdout.write(f"{body}\n")
    sys.stdout.flush()
