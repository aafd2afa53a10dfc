"""What flows through the system, from what its services tell at /metrics every two seconds."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from itertools import pairwise

import httpx
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

EVERY_SECONDS = 2.0
READINGS = 150  # five minutes: what means are taken over
RATE_READINGS = 5  # ten seconds
DEAD_LETTERS = "-dlq"
MOST_ENDPOINTS = 8


class Pace(Struct, frozen=True, rename="camel"):
    """How often something happens, over ten seconds, and how long it takes, over five minutes."""

    total: float
    per_second: float
    mean_ms: float | None


class Queue(Struct, frozen=True, kw_only=True, rename="camel"):
    """A queue, and what is in its dead-letter queue."""

    name: str
    visible: float
    in_flight: float
    dead: float
    handled: float


class Flow(Struct, frozen=True, kw_only=True, rename="camel"):
    """All that the picture shows; `services` tells which of them answer."""

    services: dict[str, bool]
    requests: Pace
    emitted: Pace
    overdue_seconds: float
    outbox: float
    outbox_age_seconds: float
    published: Pace
    queues: list[Queue]
    attempts: Pace
    under_way: float
    breakers: float
    deliveries_open: float
    delivered: Pace
    endpoints: dict[str, Pace]
    history: list[float]


class Reading:
    """All samples of one moment, of those services that answered."""

    def __init__(self, texts: Mapping[str, str | None], at: float) -> None:
        self.at = at
        self.services = {name: text is not None for name, text in texts.items()}
        self.samples: dict[str, list[tuple[dict[str, str], float]]] = {}
        for text in texts.values():
            for family in text_string_to_metric_families(text or ""):
                for sample in family.samples:
                    self.samples.setdefault(sample.name, []).append((sample.labels, sample.value))

    def total(self, name: str, **labels: str) -> float:
        """Add up the samples that have these labels."""
        return sum(value for has, value in self.samples.get(name, []) if labels.items() <= has.items())

    def values(self, name: str, label: str) -> list[str]:
        """Return the values of a label, in order."""
        return sorted({has[label] for has, _ in self.samples.get(name, []) if label in has})


class Watch:
    """Reads `urls`, a service's name and where its metrics are, again and again."""

    def __init__(self, http: httpx.AsyncClient, urls: Mapping[str, str]) -> None:
        self._http = http
        self._urls = urls
        self._readings = deque([Reading(dict.fromkeys(urls), time.monotonic())], maxlen=READINGS)

    async def run(self) -> None:
        """Read until cancelled. What cannot be read counts as a service that is away."""
        while True:
            await self.read()
            await asyncio.sleep(EVERY_SECONDS)

    async def read(self) -> None:
        """Read all of them once."""
        texts = await asyncio.gather(*(self._text(url) for url in self._urls.values()))
        self._readings.append(Reading(dict(zip(self._urls, texts, strict=True)), time.monotonic()))

    async def _text(self, url: str) -> str | None:
        try:
            answer = await self._http.get(url)
            list(text_string_to_metric_families(answer.text))
        except (httpx.HTTPError, ValueError):
            return None
        return answer.text if answer.is_success else None

    def flow(self) -> Flow:
        """Return what the last reading tells, beside those before."""
        now, queue = self._readings[-1], "carillon_queue_messages"
        names = [name for name in now.values(queue, "queue") if not name.endswith(DEAD_LETTERS)]
        by_endpoint = "carillon_endpoint_attempt_duration_seconds"
        endpoints = {
            name: self._pace(by_endpoint, endpoint=name)
            for name in now.values(f"{by_endpoint}_count", "endpoint")
        }
        busiest = sorted(endpoints.items(), key=lambda pair: pair[1].total, reverse=True)
        return Flow(
            services=now.services,
            requests=self._pace("http_server_request_duration_seconds"),
            emitted=self._pace("carillon_due_lag_seconds"),
            overdue_seconds=now.total("carillon_overdue_seconds"),
            outbox=now.total("carillon_outbox_messages"),
            outbox_age_seconds=now.total("carillon_outbox_oldest_age_seconds"),
            published=self._pace("carillon_publish_duration_seconds", counted="carillon_published_total"),
            queues=[
                Queue(
                    name=name,
                    visible=now.total(queue, queue=name, state="visible"),
                    in_flight=now.total(queue, queue=name, state="in_flight"),
                    dead=now.total(queue, queue=f"{name}{DEAD_LETTERS}", state="visible"),
                    handled=now.total("carillon_messages_total", queue=name),
                )
                for name in names
            ],
            attempts=self._pace("carillon_attempt_duration_seconds"),
            under_way=now.total("carillon_attempts_under_way"),
            breakers=now.total("carillon_breakers"),
            deliveries_open=now.total("carillon_deliveries_open"),
            delivered=self._pace("carillon_delivery_latency_seconds"),
            endpoints=dict(busiest[:MOST_ENDPOINTS]),
            history=self._history("carillon_delivery_latency_seconds_count"),
        )

    def _pace(self, histogram: str, *, counted: str = "", **labels: str) -> Pace:
        count, (*_, now) = f"{histogram}_count", self._readings
        counts = counted or count
        then, first = self._readings[-min(len(self._readings), RATE_READINGS + 1)], self._readings[0]
        seconds = _grown(first, now, f"{histogram}_sum", labels)
        times = _grown(first, now, count, labels)
        return Pace(
            total=now.total(counts, **labels),
            per_second=_grown(then, now, counts, labels) / max(now.at - then.at, EVERY_SECONDS),
            mean_ms=1000 * seconds / times if times else None,
        )

    def _history(self, counter: str) -> list[float]:
        return [_grown(then, now, counter, {}) for then, now in pairwise(self._readings)]


def _grown(then: Reading, now: Reading, name: str, labels: Mapping[str, str]) -> float:
    # A service that was started again begins at nothing.
    return max(0.0, now.total(name, **labels) - then.total(name, **labels))
