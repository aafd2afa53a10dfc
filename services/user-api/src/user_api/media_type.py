"""The media type of a request's body."""

from collections.abc import Sequence
from typing import Literal

from litestar.types import Scope

from user_api.refusals import MediaTypeError


def require_media_type(
    scope: Scope, taken: Sequence[str], header: Literal["Accept-Patch", "Accept-Post"]
) -> None:
    """Raise MediaTypeError unless the body says that it is of one of the types `taken`."""
    sent = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
    if sent.partition(";")[0].strip().lower() not in taken:
        raise MediaTypeError(header, taken)
