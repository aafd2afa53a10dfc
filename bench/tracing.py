"""`tracing`: due → webhook → outcome with every trace kept, and one in ten, beside no telemetry at all."""

from datetime import timedelta
from functools import partial

from bench.api_servers import trace_sink
from bench.belfry import Belfry, running_carillon
from bench.figures import Report, alternate, compare
from bench.sink_process import running_sink

TOGETHER = timedelta(0)
WARM_UP = 50


async def run(*, quick: bool) -> Report:
    """Measure 1,000 occurrences due at once a round (300 when quick), by each of three systems in turn."""
    occurrences, rounds = (300, 1) if quick else (1000, 3)
    with running_sink() as sink, trace_sink() as endpoint:
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        a_tenth = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}
        async with (
            running_carillon(sink) as off,
            running_carillon(sink, traced) as all_traced,
            running_carillon(sink, {**traced, **a_tenth}) as sampled,
        ):
            systems = {"off": off, "all": all_traced, "a tenth": sampled}
            for system in systems.values():
                await system.ring(WARM_UP, step=TOGETHER)  # opens connections, prepares statements
            rates = await alternate(
                rounds, {name: partial(settle, system, occurrences) for name, system in systems.items()}
            )
    peer = "the same, telemetry off"
    return Report(
        figures=[
            compare("every trace kept", "events/s", rates["all"], peer, rates["off"]),
            compare("one trace in ten kept", "events/s", rates["a tenth"], peer, rates["off"]),
        ],
        sizes={"occurrences": occurrences, "rounds": rounds},
    )


async def settle(system: Belfry, occurrences: int) -> float:
    """Return how many a second were settled of those that fell due at once."""
    return (await system.ring(occurrences, step=TOGETHER)).settled_per_second
