"""Endpoints: where webhooks go. This release knows one, from WEBHOOK_URL."""

from uuid import UUID

from msgspec import Struct
from standardwebhooks import Webhook

DEFAULT_ENDPOINT_ID = UUID("00000000-0000-8000-8000-000000000001")


class Endpoint(Struct, frozen=True, kw_only=True):
    """A registered webhook URL and the key that signs what goes there."""

    id: UUID
    url: str
    signer: Webhook


def default_endpoint(url: str, secret: str) -> Endpoint:
    """Return the endpoint that gets everything when no other is registered."""
    return Endpoint(id=DEFAULT_ENDPOINT_ID, url=url, signer=Webhook(secret))
