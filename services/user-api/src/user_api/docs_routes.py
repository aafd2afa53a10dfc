"""/docs: Swagger UI from this package's own files, so that it needs no network beyond this service."""

import gzip
import hashlib
from importlib.resources import files
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

FOLDER = files("user_api") / "docs_page"
MEDIA_TYPES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "start.js": "text/javascript",
}
# Nothing from elsewhere, nothing to elsewhere. Swagger UI sets style attributes and has icons in data: URLs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Their path changes with their content.
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


def docs_routes() -> list[HTTPRouteHandler]:
    """Make GET /docs and the routes of its parts."""
    parts = {name: _compressed(name) for name in MEDIA_TYPES}
    release = hashlib.sha256(b"".join(parts.values())).hexdigest()[:12]
    page = (FOLDER / "index.html").read_text().replace("RELEASE", release)

    @get("/docs")
    async def docs() -> Response[str]:
        """Answer the page."""
        return Response(
            page,
            media_type="text/html",
            headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"},
        )

    @get("/docs/{asked:str}/{name:str}")
    async def part(
        request: Request[Any, Any, Any], asked: FromPath[str], name: FromPath[str]
    ) -> Response[bytes]:
        """Answer a part of the page, compressed as it is stored where the client takes that."""
        if asked != release or name not in parts:
            raise NotFoundException
        headers, body = dict(FOR_EVER), parts[name]
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
        else:
            body = gzip.decompress(body)
        return Response(body, media_type=MEDIA_TYPES[name], headers=headers)

    return [docs, part]


def _compressed(name: str) -> bytes:
    stored = FOLDER / f"{name}.gz"
    return stored.read_bytes() if stored.is_file() else gzip.compress((FOLDER / name).read_bytes(), mtime=0)
