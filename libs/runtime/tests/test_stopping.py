import asyncio
import time

import pytest
from runtime.stopping import Stop, backoff, describe, keep_running, pause, run_loops
from structlog.testing import capture_logs


def test_each_failure_in_a_row_waits_twice_as_long_up_to_5_s() -> None:
    assert [backoff(failures) for failures in (1, 2, 3, 4, 5, 6, 7, 100_000)] == [
        0.1,
        0.2,
        0.4,
        0.8,
        1.6,
        3.2,
        5.0,
        5.0,
    ]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("bad"), "ValueError: bad"),
        (ValueError("two\n  lines"), "ValueError: two lines"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_an_error_is_one_line(error: Exception, line: str) -> None:
    assert describe(error) == line


async def test_stop_ends_a_pause_at_once() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, stop.set)
    started = time.monotonic()

    await pause(stop, 30)

    assert time.monotonic() - started < 5


async def test_a_pause_lasts_its_seconds() -> None:
    started = time.monotonic()

    await pause(asyncio.Event(), 0.05)

    assert time.monotonic() - started >= 0.05


async def test_a_loop_that_raises_is_said_and_started_again_after_a_backoff() -> None:
    runs = 0

    async def loop(stop: Stop) -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise ValueError("not now")
        stop.set()

    with capture_logs() as logs:
        await keep_running("test", loop, asyncio.Event())

    assert runs == 3
    assert [(said["event"], said["loop"], said["error"], said["again_in_seconds"]) for said in logs] == [
        ("loop.failed", "test", "ValueError: not now", 0.1),
        ("loop.failed", "test", "ValueError: not now", 0.2),
    ]


async def test_a_cancellation_that_nobody_asked_for_does_not_end_a_loop() -> None:
    runs = 0

    async def loop(stop: Stop) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            lost = asyncio.get_running_loop().create_future()
            lost.cancel()
            await lost
        stop.set()

    with capture_logs() as logs:
        await keep_running("test", loop, asyncio.Event())

    assert runs == 2
    assert [said["error"] for said in logs] == ["ConnectionError: something it waited for was cancelled"]


async def test_a_cancellation_that_was_asked_for_ends_a_loop() -> None:
    async def loop(_: Stop) -> None:
        await asyncio.Event().wait()

    running = asyncio.create_task(keep_running("test", loop, asyncio.Event()))
    await asyncio.sleep(0)
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running


async def test_stop_ends_the_wait_for_a_loops_next_start() -> None:
    stop = asyncio.Event()

    async def loop(_: Stop) -> None:
        asyncio.get_running_loop().call_later(0.02, stop.set)
        raise ValueError

    with capture_logs():
        async with asyncio.timeout(5):
            await keep_running("test", loop, stop)


async def test_at_stop_every_loop_may_finish_what_it_has_begun() -> None:
    finished = []

    async def loop(name: str, stop: Stop) -> None:
        await stop.wait()
        await asyncio.sleep(0.05)
        finished.append(name)

    async def one(stop: Stop) -> None:
        await loop("one", stop)

    async def two(stop: Stop) -> None:
        await loop("two", stop)

    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, stop.set)
    await run_loops({"one": one, "two": two}, stop, drain_within=5)

    assert finished == ["one", "two"]


async def test_a_loop_that_does_not_finish_in_time_is_cut_off_and_named() -> None:
    ended = asyncio.Event()

    async def stubborn(_: Stop) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def willing(stop: Stop) -> None:
        await stop.wait()

    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.02, stop.set)
    with capture_logs() as logs:
        await run_loops({"stubborn": stubborn, "willing": willing}, stop, drain_within=0.05)

    assert ended.is_set()
    assert [(said["event"], said["loop"], said["after_seconds"]) for said in logs] == [
        ("loop.cut_off", "stubborn", 0.05)
    ]


async def test_cut_off_itself_it_leaves_no_loop_behind() -> None:
    ended = asyncio.Event()

    async def loop(_: Stop) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    running = asyncio.create_task(run_loops({"loop": loop}, asyncio.Event(), drain_within=5))
    await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert ended.is_set()
