"""Names: their addresses, as the system's resolver has them."""

import asyncio
import socket
import threading
from contextlib import suppress
from ipaddress import ip_address

from runtime.public_address import Address


async def ask_dns(name: str) -> tuple[Address, ...]:
    """Return the addresses of a name, the best to try first (RFC 6724); none where it does not resolve.

    Each question has a daemon thread: it cannot be called off, uvloop's four threads would soon all hang on
    names whose servers are silent, and a pool's threads would hold up the end of the process.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[Address, ...]] = loop.create_future()

    def tell(addresses: tuple[Address, ...]) -> None:
        if not answer.done():
            answer.set_result(addresses)

    def ask() -> None:
        addresses = look_up(name)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, addresses)

    threading.Thread(target=ask, name="ask DNS", daemon=True).start()
    return await answer


def look_up(name: str) -> tuple[Address, ...]:
    """Ask the system's resolver, which may take a while; ValueError is a name that cannot be one."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        return ()
    return tuple(dict.fromkeys(ip_address(address[0]) for *_, address in found))
