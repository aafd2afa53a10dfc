import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runtime.public_address import Address, forbidden_kind, literal_address, read_networks

v4 = st.ip_addresses(v=4)
v6 = st.ip_addresses(v=6)
LOOPBACK = read_networks("127.0.0.0/8")

# By hand, from the IANA registries and the clouds' manuals; the edges of each network.
CLOSED = {
    "unspecified": "0.0.0.0 0.255.255.255 ::",
    "private": (
        "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255 fc00:: fdff::1 fec0::1"
    ),
    "shared": "100.64.0.0 100.127.255.255",
    "loopback": "127.0.0.0 127.0.0.1 127.255.255.255 ::1",
    "link-local": "169.254.0.0 169.254.255.255 fe80:: febf::1 fe80::1%eth0",
    "metadata": (
        "169.254.169.254 169.254.170.2 fd00:ec2::254 fd20:ce::254 100.100.100.200 168.63.129.16 192.0.0.192"
    ),
    "reserved": (
        "192.0.0.0 192.0.0.255 192.0.2.1 198.18.0.0 198.19.255.255 198.51.100.1 203.0.113.1 240.0.0.0"
        " 255.255.255.255 ::2 ::8.8.8.8 100::1 1fff::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 3fff::1"
        " 4000::1 5f00::1 e000::1"
    ),
    "multicast": "224.0.0.0 239.255.255.255 ff00:: ff02::1 ff0e::1",
    "translated": "64:ff9b::8.8.8.8 64:ff9b:1::1 2002:808:808::1 2001:0:808:808::1 192.88.99.1",
}
PUBLIC = (
    "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0"
    " 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 198.17.255.255"
    " 198.20.0.0 223.255.255.255 168.63.129.15 ::ffff:8.8.8.8 2000::1 2001:200::1 2001:4860:4860::8888"
    " 2003::1 2606:4700::1111 2a00::1 3ffe::1"
)


@pytest.mark.parametrize(
    ("text", "kind"), [(address, kind) for kind, addresses in CLOSED.items() for address in addresses.split()]
)
def test_an_address_that_is_not_public_is_closed_and_called_what_it_is(text: str, kind: str) -> None:
    assert forbidden_kind(ip_address(text), ()) == kind


@pytest.mark.parametrize("text", PUBLIC.split())
def test_a_public_address_is_open(text: str) -> None:
    assert forbidden_kind(ip_address(text), ()) is None


@given(st.one_of(v4, v6))
def test_what_python_knows_not_to_be_global_is_closed(address: Address) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        # Patch releases of Python differ on mapped addresses: those are judged below.
        mapped = isinstance(address, IPv6Address) and address.ipv4_mapped is not None
        assert mapped or forbidden_kind(address, ()) is not None


@given(v4)
def test_an_ipv4_address_is_judged_the_same_when_it_is_mapped(address: IPv4Address) -> None:
    assert forbidden_kind(IPv6Address(f"::ffff:{address}"), ()) == forbidden_kind(address, ())


@given(v4, st.integers(0, 2**32 - 1))
def test_no_way_of_hiding_an_ipv4_address_in_another_one_is_open(address: IPv4Address, rest: int) -> None:
    number = int(address)
    for hidden in (
        (0x64FF9B << 96) + number,  # NAT64
        (0x64FF9B0001 << 80) + number,  # NAT64 of one's own
        (0x2002 << 112) + (number << 80) + rest,  # 6to4
        (0x20010000 << 96) + (number << 64) + rest,  # Teredo, the server
        (0x20010000 << 96) + (rest << 64) + (number ^ 0xFFFFFFFF),  # Teredo, the client
        number,  # "IPv4-compatible"
    ):
        assert forbidden_kind(IPv6Address(hidden), ()) is not None


@given(v4)
def test_an_opened_translator_reaches_no_address_that_is_closed_itself(address: IPv4Address) -> None:
    translated = IPv6Address((0x64FF9B << 96) + int(address))

    assert forbidden_kind(translated, read_networks("64:ff9b::/96")) == forbidden_kind(address, ())


@given(st.one_of(v4, v6))
def test_an_opened_network_opens_itself_and_nothing_else(address: Address) -> None:
    loopback = address in ip_network("127.0.0.0/8") or address in ip_network("::ffff:127.0.0.0/104")

    assert forbidden_kind(address, LOOPBACK) == (None if loopback else forbidden_kind(address, ()))


def test_an_opened_network_is_open_in_its_mapped_form_too() -> None:
    for text in ("127.0.0.1", "127.255.255.255", "::ffff:127.0.0.1"):
        assert forbidden_kind(ip_address(text), LOOPBACK) is None
    assert forbidden_kind(ip_address("::1"), LOOPBACK) == "loopback"


def test_a_host_is_an_address_or_a_name() -> None:
    assert literal_address("127.0.0.1") == IPv4Address("127.0.0.1")
    assert literal_address("[::1]") == IPv6Address("::1")
    assert literal_address("localhost") is None
    assert literal_address("127.0.0.1.example") is None


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "example.com", "10.0.0.0/8;::1/128"])
def test_what_are_no_networks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text.split("/", maxsplit=1)[0])):
        read_networks(text)


def test_networks_are_read_in_both_families() -> None:
    assert read_networks(" 10.0.0.0/8, fd00::/8 ,192.0.2.7") == (
        ip_network("10.0.0.0/8"),
        ip_network("fd00::/8"),
        ip_network("192.0.2.7/32"),
    )
    assert read_networks("") == ()
