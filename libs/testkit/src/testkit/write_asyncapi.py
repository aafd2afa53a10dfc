"""`python -m testkit.write_asyncapi CONTRACTS PAGE`: write asyncapi.yaml, and the page that shows it."""

import sys
from pathlib import Path

from testkit.asyncapi import asyncapi_document, asyncapi_file
from testkit.asyncapi_page import NoPageError, asyncapi_page


def main() -> None:
    """Write both; the document is written without npm too."""
    contracts, page = Path(sys.argv[1]), Path(sys.argv[2])
    (contracts / "asyncapi.yaml").write_text(asyncapi_file(contracts), encoding="utf-8")
    try:
        page.write_text(asyncapi_page(asyncapi_document(contracts)), encoding="utf-8")
    except NoPageError as error:
        sys.stderr.write(f"{page} is left as it was: {error}\n")


if __name__ == "__main__":
    main()
