"""Waiting in tests: for a condition, with a deadline, never a bare sleep."""

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, overload

T = TypeVar("T")
POLL_SECONDS = 0.02


@overload
async def eventually(
    condition: Callable[[], Coroutine[Any, Any, T]], *, within: float = ..., message: str = ...
) -> T: ...
@overload
async def eventually(condition: Callable[[], T], *, within: float = ..., message: str = ...) -> T: ...
async def eventually(
    condition: Callable[[], Any], *, within: float = 10.0, message: str = "it did not come true"
) -> Any:
    """Return the first true value of `condition`, asked every 20 ms.

    Raises AssertionError with `message` and the last value after `within` seconds.
    """
    deadline = time.monotonic() + within
    while True:
        asked = condition()
        value = await asked if inspect.isawaitable(asked) else asked
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{message} (within {within:g} s; last: {value!r})")
        await asyncio.sleep(POLL_SECONDS)
