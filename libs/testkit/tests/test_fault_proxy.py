import asyncio
from collections.abc import AsyncIterator

import pytest
from testkit.fault_proxy import Cut, FaultProxy, Hang, Reset, Say, Slow

ANSWER = b"an answer of 23 bytes.\n"


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    """Stand before a server that answers a line with ANSWER and goes on."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            writer.write(ANSWER)
        writer.close()

    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0) as server,
        FaultProxy(server.sockets[0].getsockname()[1]) as listening,
    ):
        yield listening


async def ask(proxy: FaultProxy, *, bytes_wanted: int = -1) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(b"a question\n")
        return await (reader.read() if bytes_wanted < 0 else reader.readexactly(bytes_wanted))
    finally:
        writer.close()


async def test_what_is_not_broken_passes(proxy: FaultProxy) -> None:
    assert await ask(proxy, bytes_wanted=len(ANSWER)) == ANSWER
    assert proxy.connections == 1


async def test_each_connection_meets_the_next_fault_and_the_one_after_them_none(proxy: FaultProxy) -> None:
    proxy.break_next([Cut(0), Cut(5), Say(b"no ", 3)])

    answers = [await ask(proxy) for _ in range(3)]

    assert answers == [b"", ANSWER[:5], b"no no no "]
    assert await ask(proxy, bytes_wanted=len(ANSWER)) == ANSWER


async def test_a_reset_is_one(proxy: FaultProxy) -> None:
    proxy.break_next([Reset()])

    with pytest.raises(ConnectionResetError):
        await ask(proxy)


async def test_a_hanging_connection_is_taken_and_not_answered_until_the_proxy_leaves(
    proxy: FaultProxy,
) -> None:
    proxy.break_next([Hang()])
    asked = asyncio.create_task(ask(proxy))

    done, _ = await asyncio.wait([asked], timeout=0.2)
    await proxy.leave()

    assert (len(done), proxy.connections, await asked) == (0, 1, b"")


async def test_a_slow_answer_comes_whole_byte_by_byte(proxy: FaultProxy) -> None:
    proxy.break_next([Slow(0.01)])
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"a question\n")

    pieces = [await reader.read(100) for _ in range(3)]
    rest = await reader.readexactly(len(ANSWER) - sum(map(len, pieces)))
    writer.close()

    assert len(pieces[0]) < len(ANSWER)
    assert b"".join(pieces) + rest == ANSWER


async def test_where_it_has_left_connections_are_refused_until_it_comes_back(proxy: FaultProxy) -> None:
    await proxy.leave()
    with pytest.raises(ConnectionRefusedError):
        await ask(proxy)

    await proxy.come_back()
    assert await ask(proxy, bytes_wanted=len(ANSWER)) == ANSWER
