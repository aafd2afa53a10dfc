"""`python -m testkit.check_contracts FOLDER`: exit 1, and say why, if they break a consumer."""

import json
import sys
from pathlib import Path

from testkit.contract_changes import broken_contracts
from testkit.openapi_changes import breaking_changes


def broken(contracts: Path) -> list[str]:
    """Say in a line each what breaks whoever uses what was released: REST, events, webhooks."""
    released = contracts / "released"
    before, now = (json.loads((folder / "openapi.json").read_text()) for folder in (released, contracts))
    api = [f"openapi.json: {change}" for change in breaking_changes(before, now)]
    return api + broken_contracts(released, contracts)


def main() -> None:
    """Print what breaks."""
    if changes := broken(Path(sys.argv[1])):
        lines = "\n".join(changes)
        sys.stderr.write(
            f"{lines}\nContracts only grow: add an optional field, or a version beside the old one.\n"
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
