"""`python -m user_api.write_openapi FILE`: write the OpenAPI document, as `make contracts` does."""

import json
import sys
from pathlib import Path

from user_api.openapi import openapi_document


def openapi_file() -> str:
    """Give the document as it is checked in: indented, so that a change of it can be read."""
    return json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(openapi_file())
