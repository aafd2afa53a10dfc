"""Endpoints: where webhooks go, with what, and how many at once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from standardwebhooks import Webhook

DEFAULT_ENDPOINT_ID = UUID("00000000-0000-8000-8000-000000000001")


class Endpoint(Struct, frozen=True, kw_only=True):
    """A webhook URL as it was at `version`, and what signs what goes there: one key, two while they rotate.

    `concurrency` is how many attempts one worker makes at once, `rate_limit` how many it starts a second;
    None leaves either to the worker's slots.
    """

    id: UUID
    version: int
    url: str
    signers: tuple[Webhook, ...]
    headers: Mapping[str, str]
    timeout: timedelta
    concurrency: int | None
    rate_limit: int | None = None
    enabled: bool = True


def default_endpoint(url: str, secret: str, *, timeout: timedelta) -> Endpoint:
    """Return the endpoint that gets everything when no other is registered."""
    return Endpoint(
        id=DEFAULT_ENDPOINT_ID,
        version=0,
        url=url,
        signers=(Webhook(secret),),
        headers={},
        timeout=timeout,
        concurrency=None,
    )


def signature(endpoint: Endpoint, webhook_id: str, at: datetime, body: str) -> str:
    """Return the header `webhook-signature`: one signature a key, the newest first.

    `at` must be in UTC: the library mis-signs other zones.
    """
    return " ".join(signer.sign(webhook_id, at, body) for signer in endpoint.signers)
