"""A release with one more kind of occasion: its module beside the others, its entry in the topology."""

from pathlib import Path

from testkit import nameday
from testkit.other_release import write_release

ENTRY = '  NamedayDue: {topic: nameday-due, priority: high, schemaVersion: 1, sendAtLocal: "08:15"}\n'


def release_with_nameday(folder: Path, topology_file: Path) -> dict[str, str]:
    """Write to a folder all that adding `testkit.nameday` takes; return the environment that leads there."""
    return write_release(
        folder, topology_file, modules={"kinds/nameday.py": nameday}, entries={"eventTypes": ENTRY}
    )
