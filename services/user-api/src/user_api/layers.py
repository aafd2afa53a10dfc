"""What a request passes before a route has it, and its answer after: every layer, in one order."""

from litestar.types import ASGIApp

from user_api.access_log import AccessLog
from user_api.always_answer import AlwaysAnswer
from user_api.auth.guard import Guard
from user_api.context import Context
from user_api.cors import Cors
from user_api.idempotency import Idempotency
from user_api.methods import Methods
from user_api.rate_limit import RateLimit
from user_api.read_your_writes import ReadYourWrites
from user_api.security_headers import SecurityHeaders
from user_api.settings import Settings
from user_api.time_limit import TimeLimit
from user_api.token_leases import TokenLeases


def layered(app: ASGIApp, guard: Guard, context: Context, settings: Settings) -> ASGIApp:
    """Put the layers around an application: read from the last line up, the way a request comes in."""
    local = settings.carillon_env == "local"
    app = Idempotency(Methods(app), context)
    if context.replica is not None:
        app = ReadYourWrites(app, behind_seconds=settings.replica_lag_seconds, local=local)
    if settings.rate_limit == "on":
        app = RateLimit(app, TokenLeases(context, settings.limit))
    app = guard.before(app)  # so that a client that is known by its token is limited as such
    app = TimeLimit(
        app,
        answer_within=settings.request_timeout_seconds,
        body_within=settings.request_body_timeout_seconds,
    )
    app = AlwaysAnswer(app)
    if settings.cors_origins:
        app = Cors(app, settings.cors_origins)
    return AccessLog(SecurityHeaders(app, local=local))
