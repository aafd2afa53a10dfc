"""Saying that an operation will go: Deprecation (RFC 9745), Sunset (RFC 8594), a mark in OpenAPI."""

from datetime import datetime
from email.utils import format_datetime
from typing import Any

from litestar.datastructures import ResponseHeader
from msgspec import Struct


class Deprecation(Struct, frozen=True, kw_only=True):
    """Instants are UTC; `link` leads to a page that says what to use instead.

    `@get("/v1/user", **Deprecation(since=…, sunset=…, link=…).marks)`
    """

    since: datetime
    sunset: datetime | None = None
    link: str | None = None

    @property
    def marks(self) -> dict[str, Any]:
        """What a route takes: headers on its answers, also described in OpenAPI, and the mark itself."""
        values = {"Deprecation": f"@{int(self.since.timestamp())}"}
        if self.sunset is not None:
            values["Sunset"] = format_datetime(self.sunset, usegmt=True)
        if self.link is not None:
            values["Link"] = f'<{self.link}>; rel="deprecation"; type="text/html"'
        return {
            "deprecated": True,
            "response_headers": [ResponseHeader(name=name, value=value) for name, value in values.items()],
        }
