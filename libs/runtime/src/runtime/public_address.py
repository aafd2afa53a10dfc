"""Which addresses strangers may have us connect to: those of the public Internet, and what is opened by hand.

After the IANA special-purpose registries (RFC 6890). `ipaddress.is_global` is not the rule: what it says of
NAT64, 6to4, multicast and others changed between patch releases of Python, and it knows no metadata service.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NAT64 = IPv6Network("64:ff9b::/96")

# The first that holds an address says what it is.
CLOSED: Sequence[tuple[Network, str]] = [
    (ip_network(network), kind)
    for kind, networks in {
        # Most clouds, AWS's containers, AWS and Google over IPv6; Alibaba, Azure, Oracle
        "metadata": (
            "169.254.169.254 169.254.170.0/24 fd00:ec2::/32 fd20:ce::254"
            " 100.100.100.200 168.63.129.16 192.0.0.192"
        ),
        "unspecified": "0.0.0.0/8 ::",
        "loopback": "127.0.0.0/8 ::1",
        "private": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10",
        "link-local": "169.254.0.0/16 fe80::/10",
        "shared": "100.64.0.0/10",  # carrier-grade NAT, and the insides of some clouds
        "multicast": "224.0.0.0/4 ff00::/8",
        "translated": "64:ff9b::/96 64:ff9b:1::/48 2002::/16 2001::/32 192.88.99.0/24",  # NAT64, 6to4, Teredo
        "reserved": (
            "192.0.0.0/24 192.0.2.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4"
            " 2001::/23 2001:db8::/32 3fff::/20"
        ),
    }.items()
    for network in networks.split()
]
# All that IANA has given out of IPv6; whatever is given later must be looked at first.
GIVEN_OUT = IPv6Network("2000::/3")


def forbidden_kind(address: Address, opened: Sequence[Network]) -> str | None:
    """Return why nothing is sent to an address, such as `loopback`; None where it may be.

    One that carries another one inside is judged by that one as well: it is where the packets end up.
    """
    for end in ends(address):
        if not any(end in network for network in opened) and (kind := closed_kind(end)):
            return kind
    return None


def closed_kind(address: Address) -> str | None:
    """Return what keeps an address from being a public one, or None."""
    for network, kind in CLOSED:
        if address in network:
            return kind
    return None if address.version == 4 or address in GIVEN_OUT else "reserved"  # noqa: PLR2004 (IPv4)


def ends(address: Address) -> Iterator[Address]:
    """Yield an address and those inside it: mapped, NAT64, 6to4 and Teredo (RFC 4291, 6052, 3056, 4380)."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped is not None:
        yield address.ipv4_mapped  # the same thing to the system: it connects over IPv4
    else:
        yield address
        if address in NAT64:
            yield IPv4Address(address.packed[-4:])
        if address.sixtofour is not None:
            yield address.sixtofour
        if address.teredo is not None:
            yield from address.teredo


def literal_address(host: str) -> Address | None:
    """Return the address that a parsed URL's host is, IPv6 in brackets; None for a name."""
    try:
        return ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def read_networks(text: str) -> tuple[Network, ...]:
    """Read networks in CIDR notation, separated by commas. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
