"""`end_to_end`: due → webhook → outcome through the four processes, beside two bare hops of the engine."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from messaging.envelope import Message
from testkit.broker import Broker, open_broker

from bench.belfry import Rung, running_carillon
from bench.figures import Figure, Report, alternate, compare, percentile, rounded
from bench.messages import due_messages, outcome_message
from bench.raw_engine import Hop, publishing
from bench.scratch import TOPOLOGY_FILE, scratch_engine
from bench.sink_process import running_sink
from bench.two_hops import Hops, carry

PER_SECOND = 50
TOGETHER = timedelta(0)


async def run(*, quick: bool) -> Report:
    """Measure 2,000 occurrences due at once a round (500 when quick), then 50 a second for 20 s (4 s)."""
    occurrences, rounds, seconds = (500, 1, 4) if quick else (2000, 3, 20)
    arrived: list[float] = []

    with running_sink() as sink, scratch_engine() as engine:
        async with (
            running_carillon(sink) as belfry,
            open_broker(engine, TOPOLOGY_FILE, "bench") as broker,
        ):
            hops = await two_hops(broker, occurrences)

            async def ring() -> float:
                rung = await belfry.ring(occurrences, step=TOGETHER)
                arrived.append(rung.arrived_per_second)
                return rung.settled_per_second

            await belfry.ring(PER_SECOND, step=TOGETHER)  # opens connections, prepares statements
            rates = await alternate(rounds, {"carillon": ring, "hops": partial(carry, engine.url, hops)})
            steady = await belfry.ring(PER_SECOND * seconds, step=timedelta(seconds=1) / PER_SECOND)
    return Report(
        figures=[*throughput(arrived, rates), *lag(steady, seconds)],
        sizes={"occurrences": occurrences, "rounds": rounds, "perSecond": PER_SECOND, "seconds": seconds},
    )


async def two_hops(broker: Broker, count: int) -> Hops:
    """Return as many messages as Carillon sends over both hops, for the topics and queues that it uses."""
    due = due_messages(broker.topology, count)
    outcomes = [outcome_message(broker.topology, message) for message in due]
    return Hops(
        first=await hop(broker, "birthday-due", "webhook-critical", due),
        second=await hop(broker, "occurrence-completed", "scheduler-outcomes", outcomes),
        messages=count,
    )


async def hop(broker: Broker, topic: str, queue: str, messages: Sequence[Message]) -> Hop:
    """Return a hop from a topic to a queue, received in the queue's own batches."""
    return Hop(
        queue_url=await broker.queue_url(queue),
        batch=broker.topology.queues[queue].batch,
        publishing=publishing(broker.topic_arn(topic), messages),
    )


def throughput(arrived: Sequence[float], rates: Mapping[str, Sequence[float]]) -> list[Figure]:
    """Return events/s of occurrences due at once, beside the bare hops."""
    peer = "the same two hops of the engine, raw"
    return [
        compare(
            "due at once, until the last outcome is recorded",
            "events/s",
            rates["carillon"],
            peer,
            rates["hops"],
            note="services and PostgreSQL share the machine with the engine; the peer has it alone",
        ),
        compare("due at once, until the last webhook arrived", "events/s", arrived, peer, rates["hops"]),
    ]


def lag(steady: Rung, seconds: int) -> list[Figure]:
    """Return due → arrival at a steady rate, and the worker's part of it."""
    note = f"{PER_SECOND} a second for {seconds} s"
    parts = {
        "due → webhook": (steady.lags_ms, {50: None, 95: "< 30000", 99: None}),
        "received by the worker → first attempt": (steady.worker_ms, {50: None, 99: "≤ 250"}),
    }
    return [
        Figure(
            what=f"{part}, p{percent}",
            unit="ms",
            carillon=rounded(percentile(lags, percent)),
            goal=goal,
            note=note,
        )
        for part, (lags, goals) in parts.items()
        for percent, goal in goals.items()
    ]
