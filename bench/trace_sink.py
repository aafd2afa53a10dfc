"""A collector that keeps nothing, a process of its own: `python trace_sink.py PORT`."""

import sys

from aiohttp import web


async def take(request: web.Request) -> web.Response:
    """Read what is sent and forget it."""
    await request.read()
    return web.Response(content_type="application/x-protobuf")


if __name__ == "__main__":
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/{signal}", take)
    app.router.add_get("/", take)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
