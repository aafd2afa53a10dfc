"""A release with something more: a module of `domain` added or replaced, and entries in the topology."""

from collections.abc import Mapping
from pathlib import Path
from shutil import copy, copytree
from types import ModuleType

import domain


def write_release(
    folder: Path, topology_file: Path, *, modules: Mapping[str, ModuleType], entries: Mapping[str, str]
) -> dict[str, str]:
    """Write to a folder all that it takes; return the environment that leads there.

    `modules` stand in `domain` under their paths; `entries` are added under a key of the topology. The
    services' code is the one installed.
    """
    package = folder / "domain"
    copytree(Path(domain.__file__).parent, package)
    for path, module in modules.items():
        copy(str(module.__file__), package / path)
    topology = topology_file.read_text(encoding="utf-8")
    for key, lines in entries.items():
        topology = topology.replace(f"\n{key}:\n", f"\n{key}:\n{lines}")
    (folder / "topology.yaml").write_text(topology)
    copy(topology_file.with_name("topology.schema.json"), folder)
    return {"PYTHONPATH": str(folder), "TOPOLOGY_FILE": str(folder / "topology.yaml")}
