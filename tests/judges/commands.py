"""Other people's programs, run to their end from the project's root."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Where tests/judges/run installs those that come in wheels.
INSTALLED = Path(sys.prefix) / "judges" / "bin"


def run(*command: str | Path, folder: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder`, with variables besides our own; return its exit code and what it said."""
    environment = {**os.environ, **variables}
    return subprocess.run(  # noqa: S603
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
