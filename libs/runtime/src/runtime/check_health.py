"""`python -m runtime.check_health`: ask the service of this container whether it is ready; exit 0 or 1."""

import http.client
import os
import sys

from runtime.stopping import describe

TIMEOUT_SECONDS = 2.0


def main() -> None:
    """Ask API_PORT or HEALTH_PORT on loopback; what keeps the service from being ready goes to stderr."""
    port = int(os.environ.get("API_PORT") or os.environ["HEALTH_PORT"])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
    except OSError as error:
        sys.exit(f"check_health: port {port}: {describe(error)}")
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        sys.exit(f"check_health: {answer.status} {said}")


if __name__ == "__main__":
    main()
