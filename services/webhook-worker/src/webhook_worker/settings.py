"""The webhook worker's settings."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta
from pyreqwest.http import Url
from runtime.encrypt import EncryptionKeys, read_keys
from runtime.public_address import Network, forbidden_kind, literal_address, read_networks
from runtime.settings import Count, Seconds, WorkerSettings

SHORTEST_KEY = 24
LONGEST_KEY = 64


class Settings(WorkerSettings, frozen=True, kw_only=True):
    """What the webhook worker reads from its environment. Durations are seconds."""

    # What endpoints keep secret; the API has the same.
    encryption_keys: EncryptionKeys
    # The default endpoint: it gets everything while no other is registered. Without it, nobody does.
    # With a secret and no URL, that is the parameter /carillon/{env}/webhook-url, read anew every so often.
    webhook_url: Annotated[str, Meta(pattern="^https?://[^/]+")] = ""
    webhook_url_refresh_seconds: Annotated[float, Meta(ge=0.05, le=60)] = 60
    # `whsec_` and the base64 of 24 to 64 random bytes (Standard Webhooks 1.0.0).
    webhook_secret: Annotated[str, Meta(pattern="^whsec_")] = ""
    # The default endpoint's, and the most that any other gets.
    webhook_timeout_seconds: Seconds = 30
    webhook_connect_timeout_seconds: Seconds = 5
    # Networks beside the public Internet that webhooks may go to: "10.20.0.0/16,fd00:1::/32".
    webhook_allow_networks: str = ""
    # All webhooks go through it: "http://name:password@proxy.internal:3128". It must guard our network too.
    webhook_proxy: Annotated[str, Meta(pattern="^https?://[^/]+")] = ""
    # PEM files: authorities to trust beside the public ones; our certificate and key for endpoints that ask.
    webhook_ca_file: str = ""
    webhook_certificate_file: str = ""
    # Longer than an attempt and its record take; after a crash its deliveries wait this long.
    delivery_lease_seconds: Seconds = 45
    # For retries, and for first attempts that found no room at their endpoint.
    retry_slots: Count = 200
    # How many deliveries a replay opens again a second, beside what the endpoint's own limits let through.
    replay_per_second: Count = 50
    # Whole months of deliveries and attempts, beside this one: what is older cannot be replayed.
    delivery_months_kept: Count = 3
    # How often each dead-letter queue is looked into.
    dead_letters_every_seconds: Seconds = 30
    # A change of an endpoint is known within this.
    endpoints_refresh_seconds: Annotated[float, Meta(ge=0.05, le=60)] = 3

    def __post_init__(self) -> None:
        """Refuse a URL, networks or a secret that is none, a URL that is closed to us, too short a lease."""
        super().__post_init__()
        read_keys(self.encryption_keys)
        if self.webhook_proxy and not Url.is_valid(self.webhook_proxy):
            raise ValueError("WEBHOOK_PROXY is not a URL")
        if self.webhook_url and not self.webhook_secret:
            raise ValueError("WEBHOOK_SECRET is not set, and WEBHOOK_URL needs it")
        if self.webhook_secret:
            check_secret(self.webhook_secret)
        try:
            opened = read_networks(self.webhook_allow_networks)
        except ValueError:
            raise ValueError(
                "WEBHOOK_ALLOW_NETWORKS is not a list such as 10.20.0.0/16,fd00:1::/32"
            ) from None
        if self.webhook_url:
            check_url(self.webhook_url, opened, name="WEBHOOK_URL")
        if self.delivery_lease_seconds <= self.webhook_timeout_seconds:
            raise ValueError("DELIVERY_LEASE_SECONDS must be more than WEBHOOK_TIMEOUT_SECONDS")


def check_secret(secret: str) -> None:
    """Raise ValueError, which does not tell it, for a secret that cannot sign."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ValueError("WEBHOOK_SECRET is not whsec_ and base64") from None
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise ValueError(f"WEBHOOK_SECRET holds {len(key)} bytes, it must hold 24 to 64")


def check_url(url: str, opened: Sequence[Network], *, name: str) -> None:
    """Raise ValueError for what is no URL, or at an address closed to us: each webhook would be given up."""
    if not url.startswith(("http://", "https://")) or not Url.is_valid(url):
        raise ValueError(f"{name} is not a URL")
    address = literal_address(Url(url).host_str or "")
    if address is not None and (kind := forbidden_kind(address, opened)):
        raise ValueError(f"{name} is at a {kind} address, which WEBHOOK_ALLOW_NETWORKS does not open")
