"""A release with a second version of BirthdayDue: a Struct beside the first, and an entry in the topology."""

from pathlib import Path
from shutil import copy, copytree

import domain

from testkit import birthday_v2

ENTRY = """\
  BirthdayDueV2:
    {topic: birthday-due-v2, priority: critical, schemaVersion: 2, sendAtLocal: "09:00", catchUpHours: 24}
"""
CONSUMERS = """\
  old-consumer: {subscriptions: [{topics: [birthday-due]}]}
  new-consumer: {subscriptions: [{topics: [birthday-due-v2]}]}
"""


def release_with_birthday_v2(folder: Path, topology_file: Path) -> dict[str, str]:
    """Write to a folder all that a version beside the old takes; return the environment that leads there.

    The services' code is the one installed; `domain` is a copy of it with that one module replaced.
    """
    package = folder / "domain"
    copytree(Path(domain.__file__).parent, package)
    copy(birthday_v2.__file__, package / "kinds" / "birthday.py")
    topology = topology_file.read_text(encoding="utf-8")
    topology = topology.replace("eventTypes:\n", f"eventTypes:\n{ENTRY}").replace(
        "queues:\n", f"queues:\n{CONSUMERS}"
    )
    (folder / "topology.yaml").write_text(topology)
    copy(topology_file.with_name("topology.schema.json"), folder)
    return {"PYTHONPATH": str(folder), "TOPOLOGY_FILE": str(folder / "topology.yaml")}
