"""Rate, errors and duration of requests, by route: what the API's dashboard and its alerts are made of."""

from litestar.types import Scope
from runtime.metric_names import HTTP_REQUESTS
from runtime.metrics import exemplar, histogram

from user_api.route_of import METHODS, UNTRACED, route_of

UNMATCHED = "(none)"
_REQUESTS = histogram(HTTP_REQUESTS)


def measure_request(scope: Scope, status: int, seconds: float) -> None:
    """Count a request that was answered. Probes are none: they would be most of what is counted."""
    if scope["path"].startswith(UNTRACED):
        return
    method = scope["method"] if scope["method"] in METHODS else "_OTHER"  # type: ignore[typeddict-item]
    template = scope.get("path_template")
    route = route_of(str(template)) if template else UNMATCHED
    _REQUESTS.labels(method, route, status).observe(seconds, exemplar())
