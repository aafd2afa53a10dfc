"""A release with a second version of BirthdayDue: a Struct beside the first, and an entry in the topology."""

from pathlib import Path

from testkit import birthday_v2
from testkit.other_release import write_release

ENTRY = """\
  BirthdayDueV2:
    {topic: birthday-due-v2, priority: critical, schemaVersion: 2, sendAtLocal: "09:00", catchUpHours: 24}
"""
CONSUMERS = """\
  old-consumer: {subscriptions: [{topics: [birthday-due]}]}
  new-consumer: {subscriptions: [{topics: [birthday-due-v2]}]}
"""


def release_with_birthday_v2(folder: Path, topology_file: Path) -> dict[str, str]:
    """Write to a folder all that a version beside the old takes; return the environment that leads there."""
    return write_release(
        folder,
        topology_file,
        modules={"kinds/birthday.py": birthday_v2},
        entries={"eventTypes": ENTRY, "queues": CONSUMERS},
    )
