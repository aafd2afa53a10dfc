"""Processes that a bench measures: started, each ready and waiting to be told, ended with the bench."""

import sys
from asyncio import StreamReader, StreamReaderProtocol, create_subprocess_exec, get_running_loop
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from carillon_local.surroundings import inherited
from testkit.die_with_parent import dies_with_parent

READY = "ready"


class ChildError(Exception):
    """A child ended before it was told to, or told nothing; the message has its last words."""


@asynccontextmanager
async def running(number: int, module: str, *arguments: str) -> AsyncIterator[list[Process]]:
    """Give so many processes of a module, each of which has said that it is ready."""
    command = dies_with_parent([sys.executable, "-m", module, *arguments])
    children = [
        await create_subprocess_exec(
            *command, cwd=Path(__file__).parents[1], env=inherited(), stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        for _ in range(number)
    ]
    try:
        for child in children:
            assert child.stdout
            if await child.stdout.readline() != f"{READY}\n".encode():
                await end(child)
        yield children
    finally:
        for child in children:
            if child.returncode is None:
                child.kill()
            await child.wait()


def tell(child: Process, line: str) -> None:
    """Write a line to a child's input."""
    assert child.stdin
    child.stdin.write(f"{line}\n".encode())


async def end(child: Process) -> bytes:
    """End a child's input, and with it the child; return what it told. Raises ChildError."""
    told, last_words = await child.communicate(b"")  # nothing more to hear: the end of its input
    if child.returncode or not told:
        raise ChildError(f"a child ended with {child.returncode}: {last_words.decode().strip()}")
    return told


async def ready() -> StreamReader:
    """Say, in a child, that it is ready; give what it is told, which ends when it is to end.

    As a stream: waiting for it ends when something else fails, a thread's would not.
    """
    told = StreamReader()
    await get_running_loop().connect_read_pipe(lambda: StreamReaderProtocol(told), sys.stdin)
    print(READY, flush=True)
    return told


def answer(told: bytes) -> None:
    """Tell the bench, from a child."""
    # With PYTHONUNBUFFERED, as we are started, sys.stdout.buffer is the bare file: it took a part of some
    # megabytes now and then, and left the rest.
    with open(sys.stdout.fileno(), "wb", closefd=False) as whole:
        whole.write(told)
