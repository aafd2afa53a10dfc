"""Idempotency-Key on POST: key, effect and reply commit together, so a repeated request is done once.

What answers inside sees nothing of it: Context.connection() gives each use case the connection on which our
transaction is, and the transaction that the use case begins there is a savepoint.
"""

from litestar.types import ASGIApp, Message, Receive, ReceiveMessage, Scope, Send

from user_api.context import Context, hold
from user_api.idempotency_key import HEADER, KeyedRequest, keyed_request, read_key, sent_keys
from user_api.kept_reply import Reply, keep_reply, send_reply, take_key
from user_api.read_body import receive_body
from user_api.refusals import FieldProblem, InvalidInputError

# Many transactions, and a body without end. Its lines have keys of their own, so it may be repeated as it is.
STREAMED = frozenset({"/user/import"})


class _NotDoneError(Exception):
    """The answer is a refusal: the transaction is rolled back, and the key may be used again."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class Idempotency:
    """Wraps the application: a POST with a key is answered once, and then from what was kept."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises InvalidInputError, BodyTooLargeError, KeyInUseError, KeyReusedError."""
        if scope["method"] != "POST" or not (values := sent_keys(scope)):  # type: ignore[typeddict-item] # there are no web sockets
            await self._app(scope, receive, send)
            return
        key = read_key(values)
        if scope["path"].rstrip("/") in STREAMED:
            raise InvalidInputError(
                [FieldProblem(HEADER, "is not taken here: an import may be repeated as it is")]
            )
        # Before a connection is taken: a body may come slowly.
        body = await receive_body(scope, receive)
        request = keyed_request(scope, key, body)
        # Sent when the transaction is over, so that no answer tells of what is not committed.
        await send_reply(send, await self._answer_once(request, scope, body, receive))

    async def _answer_once(self, request: KeyedRequest, scope: Scope, body: bytes, receive: Receive) -> Reply:
        try:
            async with self._context.connection() as connection, connection.transaction():
                if kept := await take_key(connection, request, self._context.keys):
                    return kept
                with hold(connection):
                    reply = _done(await _reply(self._app, scope, body, receive))
                await keep_reply(connection, scope, request, reply, self._context.keys)
                return reply
        except _NotDoneError as refused:
            return refused.reply


def _done(reply: Reply) -> Reply:
    if not reply.done:
        raise _NotDoneError(reply)
    return reply


async def _reply(app: ASGIApp, scope: Scope, body: bytes, receive: Receive) -> Reply:
    """Have `app` answer a request whose body is read; catch the answer."""
    unread: list[ReceiveMessage] = [{"type": "http.request", "body": body, "more_body": False}]
    status, headers, parts = 0, [], []

    async def receive_read() -> ReceiveMessage:
        return unread.pop() if unread else await receive()

    async def catch(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            parts.append(message["body"])

    await app(scope, receive_read, catch)
    return Reply(status, headers, b"".join(parts))
