"""/metrics: what this process counts and times, for Prometheus. It tells of routes and pools, of nobody."""

from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from runtime.metrics import exposition


def metrics_route() -> HTTPRouteHandler:
    """Make GET /metrics, in OpenMetrics for who accepts that."""

    @get("/metrics")
    async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Answer all metrics as text."""
        body, content_type = exposition(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    return metrics
