"""The users of the demo: each in another time zone, each with a birthday that rings within seconds."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle
from zoneinfo import ZoneInfo

from domain.due_dates import local_instant
from msgspec import Struct

# Round the world from east to west; +5:45, +5:30, +3:30, -3:30 and +10:30 or +11 among them.
PEOPLE = (
    ("Mere", "Tamahana", "Pacific/Auckland"),
    ("Jack", "Thompson", "Australia/Lord_Howe"),
    ("Yui", "Sato", "Asia/Tokyo"),
    ("Maya", "Gurung", "Asia/Kathmandu"),
    ("Arjun", "Sharma", "Asia/Kolkata"),
    ("Shirin", "Ahmadi", "Asia/Tehran"),
    ("Amina", "Otieno", "Africa/Nairobi"),
    ("Zofia", "Nowak", "Europe/Warsaw"),
    ("Grace", "Hopkins", "Europe/London"),
    ("Noah", "Penney", "America/St_Johns"),
    ("Valentina", "Reyes", "America/Bogota"),
    ("Kai", "Kealoha", "Pacific/Honolulu"),
)
# Without daylight saving time, for a person whose own zone repeats this very hour tonight.
STEADY_ZONE = "Asia/Dubai"
LEAP_YEAR, COMMON_YEAR = 1992, 1990


class DemoUser(Struct, frozen=True, kw_only=True):
    """One user of the demo; `due_at` is when it rings: `send_at_local` in their zone, today there."""

    first_name: str
    last_name: str
    timezone: str
    local_date: date
    date_of_birth: date
    send_at_local: time
    due_at: datetime

    @property
    def name(self) -> str:
        """Their full name."""
        return f"{self.first_name} {self.last_name}"

    def body(self) -> dict[str, str]:
        """Return the JSON of their POST /user."""
        return {
            "firstName": self.first_name,
            "lastName": self.last_name,
            "timezone": self.timezone,
            "dateOfBirth": self.date_of_birth.isoformat(),
            "sendAtLocal": self.send_at_local.isoformat(),
        }


def demo_users(count: int, *, first_due: datetime, spread: timedelta) -> Iterator[DemoUser]:
    """Give `count` users that ring one after another, from `first_due` on, within `spread`."""
    people = cycle(PEOPLE)
    for number in range(count):
        first, last, zone = next(people)
        again = number // len(PEOPLE)
        due_at = first_due + spread * number / max(1, count - 1)
        yield demo_user(first, f"{last} {again + 1}" if again else last, zone, due_at=due_at)


def demo_user(first_name: str, last_name: str, timezone: str, *, due_at: datetime) -> DemoUser:
    """Return a user whose birthday is today where they live, at `due_at` rounded up to a whole second."""
    moment = due_at.astimezone(UTC)
    if moment.microsecond:
        moment = moment.replace(microsecond=0) + timedelta(seconds=1)
    for zone in (timezone, STEADY_ZONE):
        there = moment.astimezone(ZoneInfo(zone))
        # The rule itself decides: the second of two equal local times is never when a birthday rings.
        if local_instant(there.date(), there.time(), zone) == moment:
            break
    else:
        raise ValueError(f"{timezone} and {STEADY_ZONE} both repeat {moment}")
    leap_day = (there.month, there.day) == (2, 29)
    return DemoUser(
        first_name=first_name,
        last_name=last_name,
        timezone=zone,
        local_date=there.date(),
        date_of_birth=there.date().replace(year=LEAP_YEAR if leap_day else COMMON_YEAR),
        send_at_local=there.time(),
        due_at=moment,
    )
