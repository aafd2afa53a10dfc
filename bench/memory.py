"""How much memory this process holds, in MB; None where the system does not tell (it does on Linux)."""

from contextlib import suppress
from pathlib import Path

STATUS = Path("/proc/self/status")
FORGET_PEAK = "5"  # proc(5), clear_refs: reset the peak resident set size


def resident() -> float | None:
    """Return what is resident now."""
    return _read("VmRSS")


def resident_peak() -> float | None:
    """Return the most that was resident since `forget_peak`."""
    return _read("VmHWM")


def forget_peak() -> None:
    """Start counting the peak anew."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text(FORGET_PEAK, encoding="ascii")


def _read(name: str) -> float | None:
    with suppress(OSError):
        for line in STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
    return None
