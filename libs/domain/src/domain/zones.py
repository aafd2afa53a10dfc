"""IANA time zones, as the pinned `tzdata` package knows them, whatever the machine has installed."""

import zoneinfo
from functools import cache

import tzdata  # type: ignore[import-untyped] # data with a version, no code

# One tz database for every service and every machine: a host's own files would decide differently, silently.
zoneinfo.reset_tzpath(())
zoneinfo.ZoneInfo.clear_cache()  # what was looked up before that line came from the host

TZ_DATABASE_VERSION: str = tzdata.IANA_VERSION
"""The release that decides, such as `2026f`: rows planned under another one are planned again."""


class UnknownZone(ValueError):  # noqa: N818 - named for what was found, as the API answers it
    """The name is not an IANA time zone of this tz database."""

    def __init__(self, name: str) -> None:
        """Keep the refused name for the message."""
        super().__init__(f"unknown time zone: {name!r}")
        self.name = name


@cache
def zone_names() -> frozenset[str]:
    """Give the name of every zone of this tz database."""
    # 15 ms: it reads the package's list, so it waits for the first question instead of the import.
    return frozenset(zoneinfo.available_timezones())


@cache
def zone(name: str) -> zoneinfo.ZoneInfo:
    """Give the zone of that exact IANA name; raise UnknownZone for anything else.

    The list is asked first: `ZoneInfo` itself takes other spellings on a case-blind disk, and file paths.
    All 599 are kept: `ZoneInfo` keeps eight, and reading files anew was half the cost of emitting.
    """
    if name not in zone_names():
        raise UnknownZone(name)
    return zoneinfo.ZoneInfo(name)
