"""Pinned clients: each connects to one address of one host, whatever DNS says of that host by then."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from pyreqwest.client import Client
from runtime.guard_hosts import Reachable
from runtime.public_address import Address

# A client takes 5 ms to build and some 190 kB, of which most are the certificates that it trusts.
MOST_HOSTS = 500

Pin = Callable[[str, Address], Client]


class Host:
    """A host's addresses in the order in which to try them, and the clients of those tried."""

    def __init__(self, found: Reachable) -> None:
        self.found = found
        self.order = list(found.addresses)
        self.clients: dict[Address, Client] = {}

    def follow(self, found: Reachable) -> None:
        """Take new addresses over: those still there keep their place and connections, the rest is let go."""
        kept = [address for address in self.order if address in found.addresses]
        self.order = list(dict.fromkeys([*kept, *found.addresses]))
        self.clients = {address: client for address, client in self.clients.items() if address in kept}
        self.found = found


class PinnedClients:
    """The clients of the hosts in use, made by `pin`. One let go still ends the requests it has under way."""

    def __init__(self, pin: Pin) -> None:
        self._pin = pin
        self._hosts: OrderedDict[str, Host] = OrderedDict()

    def addresses(self, name: str, found: Reachable) -> Sequence[Address]:
        """Return the addresses that were found for a host, first the one that could be connected to last."""
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = Host(found)
            if len(self._hosts) > MOST_HOSTS:
                self._hosts.popitem(last=False)
        elif host.found is not found:
            host.follow(found)
        self._hosts.move_to_end(name)
        return host.order

    def client(self, name: str, address: Address) -> Client:
        """Return the client that connects to this address of a host."""
        host = self._hosts.get(name)
        if host is None or address not in host.order:  # let go while its other addresses were tried
            return self._pin(name, address)
        if address not in host.clients:
            host.clients[address] = self._pin(name, address)
        return host.clients[address]

    def put_last(self, name: str, address: Address) -> None:
        """Have an address that could not be connected to tried after all others."""
        host = self._hosts.get(name)
        if host is not None and address in host.order:
            host.order.remove(address)
            host.order.append(address)

    async def close(self) -> None:
        """Close every connection."""
        for host in self._hosts.values():
            for client in host.clients.values():
                await client.close()
        self._hosts.clear()
