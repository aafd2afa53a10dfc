import asyncio

import pytest
from messaging.slots import Slots


async def settled() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_as_many_as_are_free_are_taken_up_to_what_was_asked() -> None:
    slots = Slots(5)

    assert (await slots.reserve(3), await slots.reserve(3), slots.free) == (3, 2, 0)


async def test_who_finds_none_free_waits_for_a_release() -> None:
    slots = Slots(2)
    await slots.reserve(2)
    waiting = asyncio.create_task(slots.reserve(10))
    await settled()
    assert not waiting.done()

    slots.release()

    assert (await waiting, slots.free) == (1, 0)


async def test_those_who_wait_are_served_in_turn() -> None:
    slots = Slots(1)
    await slots.reserve(1)
    served = []

    async def wait(name: str) -> None:
        await slots.reserve(1)
        served.append(name)

    tasks = [asyncio.create_task(wait(name)) for name in ("first", "second", "third")]
    await settled()
    for _ in tasks:
        slots.release()
        await settled()

    assert served == ["first", "second", "third"]


async def test_one_release_of_many_serves_everybody_it_can() -> None:
    slots = Slots(3)
    await slots.reserve(3)
    tasks = [asyncio.create_task(slots.reserve(1)) for _ in range(3)]
    await settled()

    slots.release(3)

    assert await asyncio.gather(*tasks) == [1, 1, 1]


async def test_who_is_cancelled_while_waiting_takes_no_place() -> None:
    slots = Slots(1)
    await slots.reserve(1)
    waiting = asyncio.create_task(slots.reserve(1))
    await settled()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    slots.release()

    assert (slots.free, await slots.reserve(1)) == (1, 1)


async def test_who_is_cancelled_when_just_woken_hands_the_turn_on() -> None:
    slots = Slots(1)
    await slots.reserve(1)
    first = asyncio.create_task(slots.reserve(1))
    second = asyncio.create_task(slots.reserve(1))
    await settled()

    slots.release()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first

    async with asyncio.timeout(1):
        assert await second == 1
    assert slots.free == 0


async def test_however_tasks_come_go_and_are_cancelled_no_place_is_lost_and_nobody_sleeps_on() -> None:
    slots = Slots(4)
    under_way = most = 0

    async def work(number: int) -> None:
        nonlocal under_way, most
        taken = await slots.reserve(1 + number % 3)
        under_way += taken
        most = max(most, under_way)
        try:
            await asyncio.sleep(number % 5 / 1000)
        finally:
            under_way -= taken
            slots.release(taken)

    tasks = [asyncio.create_task(work(number)) for number in range(300)]
    for number, task in enumerate(tasks):
        if number % 7 == 0:
            await asyncio.sleep(0)
        if number % 3 == 0:
            task.cancel()
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks, return_exceptions=True)

    assert (slots.free, most) == (4, 4)
