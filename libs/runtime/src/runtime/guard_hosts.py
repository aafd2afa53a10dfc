"""The guard against requests into our own network: where a host may be reached, judged once it is resolved.

Whoever asks must connect to the addresses in the answer and no others: asked again, DNS may tell of some.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from runtime.ask_dns import ask_dns
from runtime.public_address import Address, Network, forbidden_kind, literal_address

AskDns = Callable[[str], Awaitable[Sequence[Address]]]

KEEP_SECONDS = 30.0
MOST_KEPT = 10_000
# Names whose servers are silent hold a thread each, for some ten seconds.
MOST_ASKED_AT_ONCE = 64


class Reachable(Struct, frozen=True):
    """The host may be connected to, at these addresses, at least one."""

    addresses: tuple[Address, ...]


class Forbidden(Struct, frozen=True):
    """The host is at no address that may be connected to: `kind` is such as `private`.

    `for_good` when the host is that address itself; a name may get another one.
    """

    kind: str
    for_good: bool


class Unresolved(Struct, frozen=True):
    """The name has no address now, or nobody told it in time."""


Found = Reachable | Forbidden | Unresolved


class Guard:
    """Finds hosts, each name asked for once at a time; what it finds is kept for `keep` seconds.

    `opened` networks may be connected to beside the public ones; a question waits `within` seconds at most.
    """

    def __init__(
        self, opened: Sequence[Network], *, within: float, keep: float = KEEP_SECONDS, ask: AskDns = ask_dns
    ) -> None:
        self._opened = tuple(opened)
        self._within = within
        self._keep_seconds = keep
        self._ask = ask
        self._room = asyncio.Semaphore(MOST_ASKED_AT_ONCE)
        self._asked: dict[str, asyncio.Task[Found]] = {}
        self._kept: OrderedDict[str, tuple[Found, float]] = OrderedDict()

    async def find(self, host: str) -> Found:
        """Return where the host of a URL may be reached; the same object for as long as it is kept."""
        found, until = self._kept.get(host, (None, 0.0))
        if found is not None and asyncio.get_running_loop().time() < until:
            return found
        if (address := literal_address(host)) is not None:
            return self._keep(host, self._judge([address], for_good=True))
        if host not in self._asked:
            self._asked[host] = asyncio.create_task(self._resolve(host))
        try:
            async with asyncio.timeout(self._within):
                return await asyncio.shield(self._asked[host])
        except TimeoutError:
            return Unresolved()

    async def _resolve(self, host: str) -> Found:
        try:
            async with self._room:
                addresses = await self._ask(host)
        finally:
            del self._asked[host]
        # A name without addresses is not kept: it is asked for again as soon as somebody wants to know.
        return self._keep(host, self._judge(addresses, for_good=False)) if addresses else Unresolved()

    def _judge(self, addresses: Sequence[Address], *, for_good: bool) -> Found:
        kinds = {address: forbidden_kind(address, self._opened) for address in addresses}
        allowed = tuple(address for address, kind in kinds.items() if kind is None)
        if allowed:
            return Reachable(allowed)
        return Forbidden(next(kind for kind in kinds.values() if kind), for_good)

    def _keep(self, host: str, found: Found) -> Found:
        self._kept[host] = found, asyncio.get_running_loop().time() + self._keep_seconds
        self._kept.move_to_end(host)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found
