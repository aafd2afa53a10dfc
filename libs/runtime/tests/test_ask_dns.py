import asyncio
import subprocess
import sys
from ipaddress import ip_address

import pytest
from runtime.ask_dns import ask_dns

HANGING = """
import asyncio, socket, time
from runtime.ask_dns import ask_dns

socket.getaddrinfo = lambda *_, **__: time.sleep(600)

async def ask():
    async with asyncio.timeout(0.2):
        await ask_dns("silent.example")

try:
    asyncio.run(ask())
except TimeoutError:
    print("given up")
"""

LATE = """
import asyncio, socket, threading
from runtime.ask_dns import ask_dns

answered = threading.Event()
socket.getaddrinfo = lambda *_, **__: answered.wait() and []

async def ask():
    asyncio.create_task(ask_dns("late.example"))
    await asyncio.sleep(0)

asyncio.run(ask())
[thread] = [thread for thread in threading.enumerate() if thread.name == "ask DNS"]
answered.set()
thread.join()
"""


async def test_a_name_has_the_addresses_that_the_system_knows() -> None:
    assert ip_address("127.0.0.1") in await ask_dns("localhost")


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a..b", "a" * 70 + ".example"])
async def test_what_does_not_resolve_or_is_no_name_has_no_addresses(name: str) -> None:
    assert await ask_dns(name) == ()


async def test_every_way_of_writing_the_loopback_address_is_seen_through() -> None:
    for name in ("127.1", "2130706433", "0x7f000001", "0177.0.0.1"):
        assert await ask_dns(name) == (ip_address("127.0.0.1"),)


async def test_a_question_called_off_leaves_nothing_behind() -> None:
    asked = asyncio.create_task(ask_dns("localhost"))
    await asyncio.sleep(0)
    asked.cancel()

    assert isinstance((await asyncio.gather(asked, return_exceptions=True))[0], asyncio.CancelledError)
    assert await ask_dns("localhost")


def run(program: str) -> tuple[str, str]:
    ended = subprocess.run(  # noqa: S603 (our own words)
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return ended.stdout, ended.stderr


def test_a_silent_name_server_does_not_hold_up_the_end_of_the_process() -> None:
    assert run(HANGING) == ("given up\n", "")


def test_an_answer_that_comes_after_the_end_is_nobodys() -> None:
    assert run(LATE) == ("", "")
