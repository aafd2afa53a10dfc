import subprocess
import sys
import zoneinfo

import pytest
from domain.zones import TZ_DATABASE_VERSION, UnknownZone, zone


@pytest.mark.parametrize("name", ["Europe/Berlin", "Asia/Kathmandu", "America/Argentina/Ushuaia", "UTC"])
def test_an_iana_name_is_a_zone(name: str) -> None:
    assert name == zone(name).key


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "localtime",
        "posixrules",
        "europe/berlin",
        "Europe/berlin",
        "Europe/Berlin ",
        "Europe",
        "Europe/",
        "/usr/share/zoneinfo/Europe/Berlin",
        "../zoneinfo/Europe/Berlin",
        "Europe/../Europe/Berlin",
        "Mars/Olympus",
        "CEST",
        "+02:00",
        "zone.tab",
        "Europe/Berlin\0",
    ],
)
def test_anything_else_is_an_unknown_zone_and_named_in_the_error(name: str) -> None:
    with pytest.raises(UnknownZone) as caught:
        zone(name)
    assert (name, f"unknown time zone: {name!r}") == (caught.value.name, str(caught.value))


def test_the_hosts_own_tz_files_are_never_read() -> None:
    zone("UTC")
    assert zoneinfo.TZPATH == ()


def test_a_zone_looked_up_before_the_domain_was_imported_does_not_linger() -> None:
    code = (
        "from zoneinfo import ZoneInfo; before = ZoneInfo('Europe/Berlin');"
        "from domain.zones import zone; print(before is zone('Europe/Berlin'))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter
    assert answer.stdout == "False\n"


def test_the_version_is_a_tz_release() -> None:
    year, letter = TZ_DATABASE_VERSION[:4], TZ_DATABASE_VERSION[4:]
    assert (int(year) >= 2026, letter.islower()) == (True, True)
