"""Where the repository's own files are, from any folder within it."""

from pathlib import Path

TOPOLOGY = Path("contracts") / "topology.yaml"


def find_topology(start: Path) -> Path:
    """Return contracts/topology.yaml of the repository that `start` lies in; FileNotFoundError if in none."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / TOPOLOGY).exists():
            return folder / TOPOLOGY
    raise FileNotFoundError(f"no {TOPOLOGY} in {start} or above it")
