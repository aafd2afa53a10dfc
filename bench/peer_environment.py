"""Where the peers are installed: an environment of their own, made on first use from a list with hashes."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

PEERS = Path(__file__).with_name("peers")
REQUIREMENTS = PEERS / "requirements.txt"
ENVIRONMENT = Path(sys.prefix) / "bench-peers"
INSTALLED = ENVIRONMENT / "installed.txt"


@cache
def peer_python() -> str:
    """Return the interpreter that knows the peers; install them first, or anew, where the list is another."""
    python = str(ENVIRONMENT / "bin" / "python")
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if not INSTALLED.exists() or INSTALLED.read_text(encoding="utf-8") != wanted:
        _run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(ENVIRONMENT))
        install = ("pip", "install", "--quiet", "--python", python, "--require-hashes")
        _run(sys.executable, "-m", "uv", *install, "--requirement", str(REQUIREMENTS))
        INSTALLED.write_text(wanted, encoding="utf-8")
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ)  # noqa: S603 (our own)
