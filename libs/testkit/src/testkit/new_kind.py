"""A release with one more kind of occasion: its module beside the others, its entry in the topology."""

from pathlib import Path
from shutil import copy, copytree

import domain

from testkit import nameday

ENTRY = '  NamedayDue: {topic: nameday-due, priority: high, schemaVersion: 1, sendAtLocal: "08:15"}\n'


def release_with_nameday(folder: Path, topology_file: Path) -> dict[str, str]:
    """Write to a folder all that adding `testkit.nameday` takes; return the environment that leads there.

    The services' code is the one installed; `domain` is a copy of it with that one module added.
    """
    package = folder / "domain"
    copytree(Path(domain.__file__).parent, package)
    copy(nameday.__file__, package / "kinds")
    topology = topology_file.read_text(encoding="utf-8")
    (folder / "topology.yaml").write_text(topology.replace("eventTypes:\n", f"eventTypes:\n{ENTRY}"))
    copy(topology_file.with_name("topology.schema.json"), folder)
    return {"PYTHONPATH": str(folder), "TOPOLOGY_FILE": str(folder / "topology.yaml")}
