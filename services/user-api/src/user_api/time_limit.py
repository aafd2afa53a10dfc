"""Time limits: for answering a request, and for each piece of a body that a client sends."""

import asyncio
import math
import time

from litestar.types import ASGIApp, Receive, ReceiveMessage, Scope, Send

from user_api.refusals import BodyTooSlowError, TooLongError

# As long as its body, and each piece of that has its own limit.
UNLIMITED = frozenset({"/user/import"})
# One look at all that is under way, so often: a timer for each (asyncio.timeout) cost 5 to 9 µs, this 2.
LOOK_SECONDS = 0.1
_BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})


class _Watch:
    """A request under way; instants are seconds of the monotonic clock."""

    __slots__ = ("answer_by", "body_by", "is_over", "task")

    def __init__(self, task: asyncio.Task[None], answer_by: float) -> None:
        self.task = task
        self.answer_by = answer_by
        self.body_by = math.inf  # finite while a piece of the body is waited for
        self.is_over = False


class TimeLimit:
    """Wraps the application: what takes too long is cancelled, which rolls its transaction back."""

    def __init__(self, app: ASGIApp, *, answer_within: float, body_within: float) -> None:
        self._app = app
        self._answer_within = answer_within
        self._body_within = body_within
        self._under_way: set[_Watch] = set()
        self._is_looking = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises TooLongError, BodyTooSlowError."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (an application runs in a task)
        is_limited = scope["path"].rstrip("/") not in UNLIMITED
        watch = _Watch(task, time.monotonic() + self._answer_within if is_limited else math.inf)
        self._under_way.add(watch)
        if not self._is_looking:
            self._is_looking = True
            self._look_later()
        try:
            await self._app(scope, self._watched(receive, watch) if _has_body(scope) else receive, send)
        except asyncio.CancelledError:
            # Another may have been cancelling it as well: the drain.
            if not watch.is_over or task.uncancel():
                raise
            raise (BodyTooSlowError if math.isfinite(watch.body_by) else TooLongError) from None
        finally:
            self._under_way.discard(watch)

    def _watched(self, receive: Receive, watch: _Watch) -> Receive:
        is_whole = False

        async def receive_in_time() -> ReceiveMessage:
            nonlocal is_whole
            if is_whole:
                return await receive()  # which waits for the client to leave
            watch.body_by = time.monotonic() + self._body_within
            message = await receive()
            watch.body_by = math.inf
            is_whole = not message.get("more_body")
            return message

        return receive_in_time

    def _look_later(self) -> None:
        asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        now = time.monotonic()
        for watch in self._under_way:
            if not watch.is_over and now >= min(watch.answer_by, watch.body_by):
                watch.is_over = True
                watch.task.cancel()
        self._is_looking = bool(self._under_way)
        if self._is_looking:
            self._look_later()


def _has_body(scope: Scope) -> bool:
    return any(name in _BODY_HEADERS for name, _ in scope["headers"])
