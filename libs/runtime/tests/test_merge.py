import asyncio
from collections.abc import Sequence

import pytest
from runtime.merge import Merge


class Book:
    """Keeps what was written, a page a batch; tells each item's double. What it refuses raises."""

    def __init__(self) -> None:
        self.pages: list[list[int]] = []
        self.refused: type[Exception] | None = None
        self.writable = asyncio.Event()
        self.writable.set()

    async def write(self, items: Sequence[int]) -> list[int]:
        await self.writable.wait()
        if self.refused is not None and (self.refused is OSError or 13 in items):
            raise self.refused
        self.pages.append(list(items))
        return [item * 2 for item in items]


@pytest.fixture
def book() -> Book:
    return Book()


async def test_what_comes_together_is_written_together_in_order(book: Book) -> None:
    merge = Merge(book.write)

    results = await asyncio.gather(*(merge.put(number) for number in range(40)))

    assert book.pages == [list(range(40))]
    assert results == [number * 2 for number in range(40)]


async def test_no_batch_is_larger_than_500(book: Book) -> None:
    merge = Merge(book.write)

    await asyncio.gather(*(merge.put(number) for number in range(1201)))

    assert [len(page) for page in book.pages] == [500, 500, 201]


async def test_nobody_returns_before_its_own_item_is_written(book: Book) -> None:
    merge = Merge(book.write)
    book.writable.clear()

    waiting = asyncio.create_task(merge.put(1))
    _, unfinished = await asyncio.wait([waiting], timeout=0.1)
    assert unfinished == {waiting}
    later = asyncio.create_task(merge.put(2))  # while the first batch is being written
    book.writable.set()
    await asyncio.gather(waiting, later)

    assert book.pages == [[1], [2]]


async def test_what_comes_within_the_time_to_gather_is_written_together(book: Book) -> None:
    merge = Merge(book.write, gather_seconds=0.5)

    first = asyncio.create_task(merge.put(1))
    await asyncio.sleep(0)  # it waits for others
    await asyncio.gather(first, merge.put(2))

    assert book.pages == [[1, 2]]


async def test_it_starts_again_after_it_had_nothing_to_do(book: Book) -> None:
    merge = Merge(book.write)

    await merge.put(1)
    await merge.put(2)

    assert book.pages == [[1], [2]]


async def test_one_that_cannot_be_written_fails_alone(book: Book) -> None:
    merge = Merge(book.write)
    book.refused = ValueError

    results = await asyncio.gather(*(merge.put(number) for number in (12, 13, 14)), return_exceptions=True)

    assert [type(result) for result in results] == [int, ValueError, int]
    assert book.pages == [[12], [14]]


async def test_what_passes_fails_the_batch_as_one_so_that_it_comes_back_as_one(book: Book) -> None:
    merge = Merge(book.write)
    book.refused = OSError

    results = await asyncio.gather(*(merge.put(number) for number in (1, 2)), return_exceptions=True)
    book.refused = None
    await asyncio.gather(*(merge.put(number) for number in (1, 2)))

    assert [type(result) for result in results] == [OSError, OSError]
    assert book.pages == [[1, 2]]


async def test_one_that_no_longer_waits_is_written_all_the_same_and_holds_up_nobody(book: Book) -> None:
    merge = Merge(book.write)
    first = asyncio.create_task(merge.put(1))
    second = asyncio.create_task(merge.put(2))
    await asyncio.sleep(0)  # both have put

    first.cancel()
    await second

    assert book.pages == [[1, 2]]
    assert first.cancelled()
