"""Logs: structlog, one wide JSON line a unit of work, or a readable form on a terminal."""

import json
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO, Literal

import msgspec
import structlog
from opentelemetry.trace import format_span_id, format_trace_id, get_current_span
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor

from runtime.active_tracing import active


class Lines:
    """Writes each line at once; one that cannot be written fails nobody's work."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output

    def msg(self, line: bytes) -> None:
        """Write a line."""
        with suppress(OSError, ValueError):
            self._output.write(line + b"\n")
            self._output.flush()

    debug = info = warning = error = critical = exception = msg


def configure_logs(service: str, *, form: Literal["json", "console"], level: str) -> None:
    """Send every log line of this process, libraries' included, to standard output in one form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        add_trace_ids,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Without the frames' variables: those are names, messages and secrets.
    errors = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
    if form == "json":
        # Past the standard library's logging, which was two thirds of what a line costs: a request is one.
        ours: list[Processor] = [errors, structlog.processors.JSONRenderer(_json)]
        factory: Callable[..., Any] = partial(_same, Lines(sys.stdout.buffer))
        render: list[Processor] = [errors, structlog.processors.JSONRenderer()]
    else:
        ours = [structlog.stdlib.ProcessorFormatter.wrap_for_formatter]
        factory = structlog.stdlib.LoggerFactory()
        render = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    structlog.configure(
        processors=[*shared, *ours],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for chatty in ("botocore", "aiobotocore", "httpx", "httpcore", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)


def add_trace_ids(_: object, __: str, line: EventDict) -> EventDict:
    """Name the span that a line is of, where something is traced and the line does not name one itself."""
    if active() is not None and "traceId" not in line:
        context = get_current_span().get_span_context()
        if context.is_valid:
            line["traceId"] = format_trace_id(context.trace_id)
            line["spanId"] = format_span_id(context.span_id)
    return line


def _same(lines: Lines, *_: object) -> Lines:
    return lines


def _json(line: EventDict, default: Callable[[object], object]) -> bytes:
    try:
        return msgspec.json.encode(line, enc_hook=default)
    # Half of a character, a number beyond 64 bits: a line is written whatever it holds.
    except (ValueError, TypeError, OverflowError, RecursionError):
        return json.dumps(line, default=default).encode()
