"""The webhook worker's settings."""

import base64
import binascii
from typing import Annotated

from msgspec import Meta
from pyreqwest.http import Url
from runtime.public_address import forbidden_kind, literal_address, read_networks
from runtime.settings import Count, Seconds, WorkerSettings

SHORTEST_KEY = 24
LONGEST_KEY = 64


class Settings(WorkerSettings, frozen=True, kw_only=True):
    """What the webhook worker reads from its environment. Durations are seconds."""

    webhook_url: Annotated[str, Meta(pattern="^https?://[^/]+")]
    # `whsec_` and the base64 of 24 to 64 random bytes (Standard Webhooks 1.0.0).
    webhook_secret: Annotated[str, Meta(pattern="^whsec_")]
    webhook_timeout_seconds: Seconds = 30
    webhook_connect_timeout_seconds: Seconds = 5
    # Networks beside the public Internet that webhooks may go to: "10.20.0.0/16,fd00:1::/32".
    webhook_allow_networks: str = ""
    # PEM files: authorities to trust beside the public ones; our certificate and key for endpoints that ask.
    webhook_ca_file: str = ""
    webhook_certificate_file: str = ""
    # Longer than an attempt and its record take; after a crash its deliveries wait this long.
    delivery_lease_seconds: Seconds = 45
    retry_slots: Count = 50

    def __post_init__(self) -> None:
        """Refuse a URL, networks or a secret that is none, a URL that is closed to us, too short a lease."""
        super().__post_init__()
        if not Url.is_valid(self.webhook_url):
            raise ValueError("WEBHOOK_URL is not a URL")
        try:
            opened = read_networks(self.webhook_allow_networks)
        except ValueError:
            raise ValueError(
                "WEBHOOK_ALLOW_NETWORKS is not a list such as 10.20.0.0/16,fd00:1::/32"
            ) from None
        # Every delivery would be given up at once.
        address = literal_address(Url(self.webhook_url).host_str or "")
        if address is not None and (kind := forbidden_kind(address, opened)):
            raise ValueError(
                f"WEBHOOK_URL is at a {kind} address, which WEBHOOK_ALLOW_NETWORKS does not open"
            )
        try:
            key = base64.b64decode(self.webhook_secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            raise ValueError("WEBHOOK_SECRET is not whsec_ and base64") from None
        if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
            raise ValueError(f"WEBHOOK_SECRET holds {len(key)} bytes, it must hold 24 to 64")
        if self.delivery_lease_seconds <= self.webhook_timeout_seconds:
            raise ValueError("DELIVERY_LEASE_SECONDS must be more than WEBHOOK_TIMEOUT_SECONDS")
