"""Lambda's runtime API on loopback: AWS's own runtime client fetches calls and tells what became of them.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import asyncio
import time
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import msgspec
from aiohttp import web

from testkit.ports import LOOPBACK
from testkit.service_process import Process, StartService

VERSION = "2018-06-01"
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:000000000000:function:carillon"


class FunctionError(Exception):
    """The function raised; the message is what its runtime told of it."""


class LambdaRuntime:
    """Calls a function, one call at a time, as Lambda does; `start` runs the client with a handler."""

    def __init__(self) -> None:
        self._calls: asyncio.Queue[tuple[str, bytes, float]] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._runner: web.AppRunner | None = None
        self._address = ""

    async def start(self, start: StartService, handler: str, environment: dict[str, str]) -> Process:
        """Start AWS's runtime client for a handler, such as `scheduler.lambda_handler.handler`."""
        told = {"AWS_LAMBDA_RUNTIME_API": self._address, "AWS_LAMBDA_FUNCTION_NAME": "carillon"}
        return await start("awslambdaric", {**environment, **told}, handler)

    async def call(self, event: object, *, within: float = 30.0) -> Any:  # noqa: ANN401 (a function's answer)
        """Call the function, which has `within` seconds; return its answer. FunctionError if it raised."""
        request_id = str(uuid4())
        self._answers[request_id] = asyncio.get_running_loop().create_future()
        await self._calls.put((request_id, msgspec.json.encode(event), time.time() + within))
        async with asyncio.timeout(within + 15):  # its start is not counted
            return await self._answers[request_id]

    async def __aenter__(self) -> Self:
        """Listen."""
        app = web.Application()
        base = f"/{VERSION}/runtime"
        app.router.add_get(f"{base}/invocation/next", self._next)
        app.router.add_post(f"{base}/invocation/{{id}}/response", self._response)
        app.router.add_post(f"{base}/invocation/{{id}}/error", self._error)
        app.router.add_post(f"{base}/init/error", self._never_started)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, 0).start()
        self._address = f"{LOOPBACK}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _next(self, _: web.Request) -> web.Response:
        request_id, event, deadline = await self._calls.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
        }
        return web.Response(body=event, headers=headers, content_type="application/json")

    async def _response(self, request: web.Request) -> web.Response:
        answer = msgspec.json.decode(await request.read())
        self._answers.pop(request.match_info["id"]).set_result(answer)
        return web.json_response({"status": "OK"}, status=202)

    async def _error(self, request: web.Request) -> web.Response:
        why = FunctionError((await request.read()).decode())
        self._answers.pop(request.match_info["id"]).set_exception(why)
        return web.json_response({"status": "OK"}, status=202)

    async def _never_started(self, request: web.Request) -> web.Response:
        why = FunctionError((await request.read()).decode())
        for answer in self._answers.values():
            answer.set_exception(why)
        self._answers.clear()
        return web.json_response({"status": "OK"}, status=202)
