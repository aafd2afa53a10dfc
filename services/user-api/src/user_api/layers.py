"""The layers around the routes, each an ASGI application around the next."""

from litestar.types import ASGIApp

from user_api.access_log import AccessLog
from user_api.always_answer import AlwaysAnswer
from user_api.context import Context
from user_api.cors import Cors
from user_api.idempotency import Idempotency
from user_api.methods import Methods
from user_api.rate_limit import RateLimit
from user_api.security_headers import SecurityHeaders
from user_api.settings import Settings
from user_api.time_limit import TimeLimit
from user_api.token_leases import TokenLeases
from user_api.token_share import Limit


def inside(app: ASGIApp, context: Context, limit: Limit, settings: Settings) -> ASGIApp:
    """Put around the routes what knows the caller: limits and kept replies are a caller's."""
    app = Idempotency(Methods(app), context)
    return RateLimit(app, TokenLeases(context, limit)) if settings.rate_limit == "on" else app


def around(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Put around an application what every answer passes, whoever gave it: time, net, headers, log."""
    app = AlwaysAnswer(
        TimeLimit(
            app,
            answer_within=settings.request_timeout_seconds,
            body_within=settings.request_body_timeout_seconds,
        )
    )
    if settings.cors_origins:
        app = Cors(app, settings.cors_origins)
    return AccessLog(SecurityHeaders(app, local=settings.carillon_env == "local"))
