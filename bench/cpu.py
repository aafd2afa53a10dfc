"""How many seconds of CPU a process has used; None where the system does not tell (it does on Linux)."""

import os
from contextlib import suppress
from pathlib import Path


def cpu_seconds(pid: int) -> float | None:
    """Return what a process of ours has used so far, all its threads together."""
    with suppress(OSError):
        # After the name, which may hold anything but ends with the last bracket: proc(5), fields 14 and 15.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return None


def cpu_seconds_with_children(pid: int) -> float | None:
    """Return what a process and those it started have used so far, those that have ended included."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text(encoding="utf-8").rpartition(") ")[2].split()
            if pid == int(stat.parent.name):
                ticks += sum(map(int, fields[11:15]))
            elif pid == int(fields[1]):
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else None
