"""Spans of statements: OpenTelemetry's instrumentation of asyncpg, but for what it works out anew each time.

Name and attributes are those of the statement and the connection: for ours, worked out once. That, the
context and its generators took 40 µs of a statement's 60.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from asyncpg.connection import Connection
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor, _hydrate_span_from_args
from opentelemetry.instrumentation.utils import unwrap
from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span
from wrapt import wrap_function_wrapper

Send = Callable[..., Awaitable[object]]
Arguments = tuple[Any, ...]
Options = dict[str, Any]
# A connection, of which private parts are read, as the library does.
Instance = Any

_COMMENT = AsyncPGInstrumentor._leading_comment_remover  # noqa: SLF001
_COPY = "copy_records_to_table"
_FAILED = Status(StatusCode.ERROR)
# More statements than a service has.
_STATEMENTS = 256


class StatementInstrumentor(AsyncPGInstrumentor):
    """The instrumentor, with a shorter way for a connection's methods, and COPY; cursors go the library's."""

    def _instrument(self, **kwargs: object) -> None:
        super()._instrument(**kwargs)  # type: ignore[no-untyped-call]
        wrap_function_wrapper(Connection, _COPY, self._do_copy)

    def _uninstrument(self, **kwargs: object) -> None:
        super()._uninstrument(**kwargs)  # type: ignore[no-untyped-call]
        unwrap(Connection, _COPY)

    async def _do_execute(self, func: Send, instance: Instance, args: Arguments, kwargs: Options) -> object:
        return await self._send(args[0], func, instance, args, kwargs)

    async def _do_copy(self, func: Send, instance: Instance, args: Arguments, kwargs: Options) -> object:
        table = ".".join(name for name in (kwargs.get("schema_name"), args[0]) if name)
        return await self._send(f"COPY {table}", func, instance, args, kwargs)

    async def _send(
        self, query: str, func: Send, instance: Instance, args: Arguments, kwargs: Options
    ) -> object:
        # A statement is a part of something. What polls all day is none, and would be most of what is kept.
        if not get_current_span().is_recording():
            return await func(*args, **kwargs)
        params, address = instance._params, instance._addr  # noqa: SLF001 (as the library does)
        name, attributes = _about(query, params.database, params.user, address, self._semconv_opt_in_mode)
        assert self._tracer is not None  # noqa: S101 (it is called once it is instrumented)
        # Not made the current one: nothing is traced below a statement.
        span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)
        try:
            return await func(*args, **kwargs)
        except Exception as error:
            # No more than its class: PostgreSQL's detail repeats the row.
            span.set_status(_FAILED)
            span.set_attribute("error.type", type(error).__qualname__)
            raise
        finally:
            span.end()


@lru_cache(maxsize=_STATEMENTS)
def _about(query: str, database: str, user: str, address: object, mode: object) -> tuple[str, dict[str, Any]]:
    """Give name and attributes, as the library does."""
    words = _COMMENT.sub("", query).split(maxsplit=1)
    connection = SimpleNamespace(_params=SimpleNamespace(database=database, user=user), _addr=address)
    return words[0] if words else "", _hydrate_span_from_args(connection, query, None, mode)
