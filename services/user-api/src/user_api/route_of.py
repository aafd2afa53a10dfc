"""A request's route, as spans and metrics name it."""

import re
from functools import cache

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked every few seconds, by machines: it would be most of what is kept.
UNTRACED = ("/health", "/metrics")


@cache
def route_of(template: str) -> str:
    """Return a path as it is declared, without its parameters' types: `/user/{user_id}`."""
    return re.sub(r"{(\w+):\w+}", r"{\1}", template)
