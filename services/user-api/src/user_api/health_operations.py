"""What the health routes say of themselves in the OpenAPI document."""

from user_api.health import Health, not_ready
from user_api.operations import Answer, Operation

TAG = "health"


def _health(path: str, operation_id: str, summary: str, description: str, status: str) -> Operation:
    return Operation(
        id=operation_id,
        method="GET",
        path=path,
        tag=TAG,
        summary=summary,
        description=description,
        answers=(Answer(status=200, description=summary, schema=Health, example={"status": status}),),
        problems=(not_ready(["database"]),) if status == "ready" else (),
        public=True,
    )


_READY = "503 while the database is away or the service stops: for a load balancer."
HEALTH_OPERATIONS = (
    _health("/health", "readHealth", "Requests are answered", _READY, "ready"),
    _health("/health/ready", "readReadiness", "Requests are answered", _READY, "ready"),
    _health("/health/live", "readLiveness", "The process runs", "Asks nobody: for a supervisor.", "live"),
)
