"""Why there was no answer: an exception's kind, and what it says where that tells more."""

from domain.retry import Failure, Forbidden, NoResponse, Outcome
from pyreqwest.exceptions import ConnectError, ConnectTimeoutError, PyreqwestError
from runtime.stopping import describe

from webhook_worker.proxied_transport import REFUSED, ProxyFailedError
from webhook_worker.transport import ForbiddenUrlError, UnresolvedHostError, never_connected

# A certificate may be valid for hundreds of names, and rustls tells them all.
MOST_CHARACTERS = 200


def no_answer(error: Exception) -> Outcome:
    """Return why there was no answer, and whether there never can be one."""
    said = ""
    kind: Failure
    match error:
        case ForbiddenUrlError(for_good=True):
            return Forbidden(str(error))
        case ForbiddenUrlError():
            kind, said = "not_allowed", str(error)
        case ProxyFailedError():
            kind, said = "proxy_failed", str(error)
        case UnresolvedHostError():
            kind = "name_not_resolved"
        case ConnectTimeoutError():
            kind = "connect_timeout"
        case TimeoutError():
            kind = "timeout"
        case ConnectError() if never_connected(error):
            return not_connected(error)
        case PyreqwestError():
            kind = "connection_lost"
        case _:
            kind, said = "unexpected", describe(error)
    return NoResponse(kind, said[:MOST_CHARACTERS])


def not_connected(error: ConnectError) -> NoResponse:
    """Return whether it was TCP that failed or, once there was a connection, TLS; and why TLS did."""
    causes = [cause["message"] for cause in error.details["causes"] or ()]
    if any(cause.startswith("tcp ") for cause in causes):
        return NoResponse("connection_failed")
    if REFUSED in causes:
        return NoResponse("connection_failed", "the proxy could not connect")
    return NoResponse("tls_failed", f"TLS failed: {causes[-1]}"[:MOST_CHARACTERS])
