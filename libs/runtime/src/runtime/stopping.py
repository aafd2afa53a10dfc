"""Waiting that ends early when the service is told to stop, and loops that survive what goes wrong."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import structlog

from runtime.metric_names import LOOP_FAILURES
from runtime.metrics import counter

log = structlog.get_logger()

Stop = asyncio.Event
Loop = Callable[[Stop], Awaitable[None]]

FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0
STEADY_AFTER = 30.0
LONGEST_CANCEL = 1.0


async def pause(stop: Stop, seconds: float) -> None:
    """Sleep for `seconds`, or until `stop` is set."""
    if seconds <= 0 or stop.is_set():
        await asyncio.sleep(0)
        return
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def backoff(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row: 0.1 s doubled each time, at most 5 s."""
    return float(min(FIRST_DELAY * 2 ** min(failures - 1, 10), LONGEST_DELAY))


async def keep_running(name: str, loop: Loop, stop: Stop) -> None:
    """Run `loop` until `stop` is set; an exception is logged and the loop started again after a backoff."""
    failures = 0
    while not stop.is_set():
        started = time.monotonic()
        try:
            await uncancelled(loop, stop)
        except Exception as error:
            failures = 1 if time.monotonic() - started > STEADY_AFTER else failures + 1
            delay = backoff(failures)
            counter(LOOP_FAILURES).labels(name).inc()
            log.warning(
                "loop.failed", loop=name, error=describe(error), again_in_seconds=delay, exc_info=error
            )
            await pause(stop, delay)
        else:
            return


async def uncancelled(loop: Loop, stop: Stop) -> None:
    """Run `loop`; a cancellation that nobody asked for is a failure like others, and does not end us."""
    try:
        await loop(stop)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise ConnectionError("something it waited for was cancelled") from error


@asynccontextmanager
async def beside(name: str, loop: Loop, stop: Stop) -> AsyncIterator[None]:
    """Keep `loop` running for as long as the context is open; it ends by `stop`, or is cancelled after."""
    running = asyncio.create_task(keep_running(name, loop, stop), name=name)
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait((running,), timeout=LONGEST_CANCEL)


async def run_loops(loops: Mapping[str, Loop], stop: Stop, *, drain_within: float) -> None:
    """Run all `loops` side by side until `stop` is set, then give them `drain_within` seconds to finish."""
    tasks = [asyncio.create_task(keep_running(name, loop, stop), name=name) for name, loop in loops.items()]
    try:
        await stop.wait()
        _, unfinished = await asyncio.wait(tasks, timeout=drain_within)
        for task in unfinished:
            log.warning("loop.cut_off", loop=task.get_name(), after_seconds=drain_within)
    finally:
        for task in tasks:
            task.cancel()
        # Not for ever: one may be stuck in a database that hangs; closing the pool sets it free.
        await asyncio.wait([asyncio.gather(*tasks, return_exceptions=True)], timeout=LONGEST_CANCEL)


def describe(error: BaseException) -> str:
    """Return an exception as one readable line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
