"""Endpoints: as a client describes them, as they are stored, as they are answered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from msgspec import Meta, Struct, structs

from user_api.endpoint_headers import masked
from user_api.user import Instant

Secret = Annotated[
    str, Meta(description="Signs webhooks (Standard Webhooks). Keep it: it is never shown again.")
]

PreviousSecretUntil = Annotated[
    Instant | None, Meta(description="Until then the secret before the last rotation signs as well.")
]


class EndpointDetails(Struct, frozen=True, kw_only=True):
    """All that a client says of an endpoint; `event_types` None is all, `rate_limit` None is no limit."""

    url: str
    event_types: tuple[str, ...] | None
    description: str | None
    headers: Mapping[str, str]
    rate_limit: int | None
    concurrency: int
    timeout_seconds: int
    enabled: bool


class Endpoint(Struct, frozen=True, kw_only=True):
    """An endpoint as it is read: its headers are masked, and its secret is not here. Instants are UTC."""

    id: UUID
    version: int
    details: EndpointDetails
    disabled_reason: str | None
    previous_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime


class EndpointAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """An endpoint as answered."""

    id: UUID
    version: Annotated[int, Meta(description="Counts the changes, from 1.")]
    url: str
    event_types: Annotated[tuple[str, ...] | None, Meta(description="Which webhooks it gets; all if null.")]
    description: str | None
    headers: Annotated[
        Mapping[str, str], Meta(description="What each webhook carries beside its own; values are masked.")
    ]
    rate_limit: Annotated[
        int | None, Meta(description="Requests a second at most, from each worker; without limit if null.")
    ]
    concurrency: Annotated[int, Meta(description="Requests under way at once at most, from each worker.")]
    timeout_seconds: Annotated[int, Meta(description="How long a request may take, answer included.")]
    enabled: Annotated[bool, Meta(description="While it is not, its deliveries wait.")]
    disabled_reason: Annotated[
        str | None,
        Meta(description="`manual`, by this API; `gone`, it answered 410; `failing`, it only failed."),
    ]
    previous_secret_until: PreviousSecretUntil
    created_at: Instant
    updated_at: Instant


class EndpointMadeAnswer(EndpointAnswer, frozen=True, kw_only=True, rename="camel"):
    """An endpoint as answered this once: with its secret."""

    secret: Secret


class RotatedSecretAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """Another secret, as answered this once."""

    secret: Secret
    previous_secret_until: PreviousSecretUntil


def endpoint_of(row: asyncpg.Record) -> Endpoint:
    """Give the endpoint of a row of delivery.api_endpoints."""
    return Endpoint(
        id=row["id"],
        version=row["version"],
        details=EndpointDetails(
            url=row["url"],
            event_types=None if row["event_types"] is None else tuple(row["event_types"]),
            description=row["description"],
            headers=masked(row["header_names"]),
            rate_limit=row["rate_limit"],
            concurrency=row["concurrency"],
            timeout_seconds=row["timeout_seconds"],
            enabled=row["enabled"],
        ),
        disabled_reason=row["disabled_reason"],
        previous_secret_until=row["previous_secret_until"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def endpoint_answer(endpoint: Endpoint) -> EndpointAnswer:
    """Give the answer that tells of an endpoint."""
    return EndpointAnswer(**_answered(endpoint))


def endpoint_made_answer(endpoint: Endpoint, secret: str) -> EndpointMadeAnswer:
    """Give the answer that tells of a new endpoint and its secret."""
    return EndpointMadeAnswer(**_answered(endpoint), secret=secret)


def rotated_secret_answer(endpoint: Endpoint, secret: str) -> RotatedSecretAnswer:
    """Give the answer that tells of an endpoint's new secret."""
    return RotatedSecretAnswer(secret=secret, previous_secret_until=endpoint.previous_secret_until)


def _answered(endpoint: Endpoint) -> dict[str, Any]:
    stored = structs.asdict(endpoint)
    return {**structs.asdict(stored.pop("details")), **stored}
