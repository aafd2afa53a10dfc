"""`carillon topology show|diff|apply`: what is declared, and what of it exists."""

import asyncio
from typing import Annotated

import typer
from messaging.apply_topology import apply_topology
from messaging.existing_topology import prune, read_existing
from messaging.topology import Topology
from messaging.topology_state import Change, changes, declared

from carillon_cli.endpoint import (
    LOCAL,
    TOPOLOGY,
    Endpoint,
    Environment,
    Region,
    TopologyFile,
    asked,
    open_endpoint,
)
from carillon_cli.show import show_table

EXIT_DIFFERS = 1
DAY = 86_400
SIGNS = {"make": "+", "change": "~", "undeclared": "-"}

app = typer.Typer(no_args_is_help=True, help="What contracts/topology.yaml declares, and what of it exists.")


@app.command()
def show(topology_file: TopologyFile = TOPOLOGY) -> None:
    """Show the event types and the queues that are declared."""
    topology = asked(topology_file)
    show_event_types(topology)
    show_queues(topology)


@app.command()
def diff(region: Region, topology_file: TopologyFile = TOPOLOGY, environment: Environment = LOCAL) -> None:
    """Show what `apply` would change; exit 1 if it would change anything, 0 if not."""
    topology = asked(topology_file)

    async def compare() -> list[Change]:
        async with open_endpoint(region) as endpoint:
            return await differences(endpoint, topology, environment)

    found = asyncio.run(compare())
    show_changes(found, pruned=False)
    if found:
        raise typer.Exit(EXIT_DIFFERS)


@app.command()
def apply(
    region: Region,
    topology_file: TopologyFile = TOPOLOGY,
    environment: Environment = LOCAL,
    *,
    prune_undeclared: Annotated[
        bool, typer.Option("--prune", help="Delete what an earlier apply made and nobody declares any more.")
    ] = False,
) -> None:
    """Make what is declared and missing, and change what differs; again, it changes nothing."""
    topology = asked(topology_file)

    async def bring_about() -> list[Change]:
        async with open_endpoint(region) as endpoint:
            wanted = declared(topology, environment)
            existing = await read_existing(endpoint.sns, endpoint.sqs, environment, wanted)
            await apply_topology(endpoint.sns, endpoint.sqs, topology, environment)
            if prune_undeclared:
                await prune(endpoint.sns, endpoint.sqs, existing, wanted)
            return changes(wanted, existing.state)

    show_changes(asyncio.run(bring_about()), pruned=prune_undeclared, done=True)


async def differences(endpoint: Endpoint, topology: Topology, environment: str) -> list[Change]:
    """Return how what exists differs from what is declared."""
    wanted = declared(topology, environment)
    existing = await read_existing(endpoint.sns, endpoint.sqs, environment, wanted)
    return changes(wanted, existing.state)


def show_event_types(topology: Topology) -> None:
    """Print a row an event type."""
    show_table(
        {field: field for field in ("event type", "topic", "priority", "version", "published", "heard by")},
        [
            {
                "event type": name,
                "topic": event_type.topic,
                "priority": event_type.priority.value,
                "version": event_type.schema_version,
                "published": "yes" if event_type.published else "no",
                "heard by": ", ".join(
                    queue.name
                    for queue in topology.queues.values()
                    if any(event_type.topic in subscription.topics for subscription in queue.subscriptions)
                ),
            }
            for name, event_type in topology.event_types.items()
        ],
    )


def show_queues(topology: Topology) -> None:
    """Print a row a subscription of each queue."""
    show_table(
        {field: field for field in ("queue", "visibility", "retention", "receives", "hears", "if")},
        [
            {
                "queue": queue.name,
                "visibility": f"{queue.visibility_seconds} s",
                "retention": f"{queue.retention_seconds / DAY:g} d",
                "receives": queue.max_receives,
                "hears": ", ".join(subscription.topics),
                "if": f"{subscription.filter_policy_scope}: {subscription.filter_policy}"
                if subscription.filter_policy
                else None,
            }
            for queue in topology.queues.values()
            for subscription in queue.subscriptions
        ],
    )


def show_changes(found: list[Change], *, pruned: bool, done: bool = False) -> None:
    """Print a row a change, or that there is none."""
    if not found:
        typer.echo("Nothing differs: what is declared exists.")
        return
    undeclared = "deleted" if pruned else "nobody declares it; --prune deletes it"
    show_table(
        {"sign": "", "kind": "", "name": "name", "how": "how"},
        [
            {
                "sign": SIGNS[change.what],
                "kind": change.thing.kind,
                "name": change.thing.name,
                "how": undeclared if change.what == "undeclared" else "; ".join(change.details),
            }
            for change in found
        ],
    )
    kept = [change for change in found if change.what == "undeclared" and not pruned]
    typer.echo(f"{len(found) - len(kept)} {'changed' if done else 'to change'}, {len(kept)} undeclared")
