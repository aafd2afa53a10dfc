"""The last net: what nothing else answered is still answered with a problem document."""

import asyncio

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from user_api.problem import send_problem
from user_api.problems import translate


class AlwaysAnswer:
    """Wraps an application: an exception, or the cut at the end of a drain, becomes a problem document."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request; an exception after the answer began goes on, so that the connection is cut."""
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, note_start)
        except (Exception, asyncio.CancelledError) as error:
            if started:
                raise
            # A cancelled request ends here too: it is the last that this connection hears.
            await send_problem(scope, send, translate(error))
