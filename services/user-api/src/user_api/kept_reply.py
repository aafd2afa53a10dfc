"""The reply to a POST with an Idempotency-Key: kept in its transaction, found when it is repeated."""

import re
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
from litestar.types import Scope, Send
from msgspec import Struct
from runtime.database import Connection
from runtime.encrypt import Keys
from runtime.statements import Statements

from user_api.idempotency_key import KeyedRequest
from user_api.refusals import KeyInUseError, KeyReusedError

SQL = Statements("user_api")

KEPT_FOR = timedelta(hours=24)
# What a route says. What every answer has (request id, rate limits, CORS) is said anew.
KEPT_HEADERS = frozenset({b"content-type", b"etag", b"link", b"location", b"deprecation", b"sunset"})
REPLAYED = (b"idempotent-replayed", b"true")
_USER = re.compile(r"/user/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?:/|$)")

# What is answered there may hold a secret.
_SECRETIVE = re.compile(r"/endpoint(?:/|$)")


class Reply(Struct, frozen=True):
    """An answer, whole."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    @property
    def done(self) -> bool:
        """Whether it tells of something done: only then is there something to commit."""
        return 200 <= self.status < 300  # noqa: PLR2004 (RFC 9110 §15.3)


async def take_key(connection: Connection, request: KeyedRequest, keys: Keys) -> Reply | None:
    """Take the key until the transaction ends; give the reply that is kept under it.

    Raises KeyInUseError while another request has the key, KeyReusedError when it was for another request.
    """
    if not await connection.fetchval(SQL["lock_idempotency_key"], request.lock):
        raise KeyInUseError
    # A statement of its own: it sees what was committed before the lock was ours.
    row = await connection.fetchrow(SQL["find_reply"], request.id, KEPT_FOR)
    if row is None:
        return None
    if row["request"] != request.request:
        raise KeyReusedError
    headers = [(name.encode(), value.encode()) for name, value in msgspec.json.decode(row["headers"])]
    body = keys.decrypt(row["body"], about=_reply_to(request)) if row["encrypted"] else row["body"]
    return Reply(row["status"], [*headers, REPLAYED], body)


async def keep_reply(
    connection: Connection, scope: Scope, request: KeyedRequest, reply: Reply, keys: Keys
) -> None:
    """Keep a reply, encrypted if it may hold a secret, with the user whom it tells of, who takes it along."""
    encrypted = _SECRETIVE.match(scope["path"]) is not None
    headers = [(name.decode(), value.decode()) for name, value in reply.headers if name in KEPT_HEADERS]
    await connection.execute(
        SQL["keep_reply"],
        request.id,
        request.request,
        reply.status,
        msgspec.json.encode(headers).decode(),
        keys.encrypt(reply.body, about=_reply_to(request)) if encrypted else reply.body,
        encrypted,
        _user_id(scope["path"], dict(headers).get("location", "")),
    )


async def send_reply(send: Send, reply: Reply) -> None:
    """Answer."""
    length = (b"content-length", str(len(reply.body)).encode())
    headers = [header for header in reply.headers if header[0] != b"content-length"]
    await send({"type": "http.response.start", "status": reply.status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})


def _reply_to(request: KeyedRequest) -> bytes:
    return b"reply to " + request.id


def _user_id(*places: str) -> UUID | None:
    """Find the user: in the address of the request, else in that of what it made."""
    return next((UUID(found[1]) for place in places if (found := _USER.match(place))), None)
