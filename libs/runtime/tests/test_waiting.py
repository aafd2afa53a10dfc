import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from runtime.waiting import StartFailedError, StoppedError, wait_for
from structlog.testing import capture_logs


async def absent() -> None:
    raise ConnectionRefusedError("nobody there")


async def silent() -> None:
    await asyncio.Event().wait()


async def test_what_comes_later_is_waited_for_and_said_once() -> None:
    tries = 0

    async def third_time() -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ConnectionRefusedError("nobody there")
        return "here"

    with capture_logs() as logs:
        assert await wait_for("the database", third_time, asyncio.Event(), within=10) == "here"

    assert [
        (said["event"], said["waiting_for"], said["reason"]) for said in logs if said["log_level"] == "info"
    ] == [("start.waiting", "the database", "ConnectionRefusedError: nobody there")]


@pytest.mark.parametrize(
    ("attempt", "reason"),
    [(absent, "ConnectionRefusedError: nobody there"), (silent, "TimeoutError: it does not answer")],
)
async def test_what_does_not_come_or_answer_is_given_up_at_the_deadline(
    attempt: Callable[[], Awaitable[None]], reason: str
) -> None:
    started = time.monotonic()

    with pytest.raises(StartFailedError) as failed:
        await wait_for("the database", attempt, asyncio.Event(), within=0.3)

    assert str(failed.value) == f"the database did not come within 0.3 s: {reason}"
    assert time.monotonic() - started < 20


async def test_without_a_timeout_one_try_is_made() -> None:
    async def present() -> str:
        return "here"

    assert await wait_for("the database", present, asyncio.Event(), within=0) == "here"


@pytest.mark.parametrize("attempt", [absent, silent])
async def test_stop_ends_the_wait_at_once(attempt: Callable[[], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, stop.set)

    async with asyncio.timeout(5):
        with pytest.raises(StoppedError):
            await wait_for("the database", attempt, stop, within=60)


async def test_an_attempt_that_is_cut_off_can_clean_up() -> None:
    stop = asyncio.Event()
    cleaned = False

    async def attempt() -> None:
        nonlocal cleaned
        try:
            stop.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned = True

    with pytest.raises(StoppedError):
        await wait_for("the database", attempt, stop, within=60)

    assert cleaned is True
