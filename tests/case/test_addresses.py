"""Where an address leads, in whatever way it is written."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depose.case.addresses import of_address, of_host

PUBLIC = ("1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:1.1.1.1")
PRIVATE = (
    *("127.0.0.1", "127.255.255.254", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
)
RESERVED = (
    *("0.0.0.0", "192.0.0.8", "192.0.0.9", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1"),  # noqa: S104
    *("240.0.0.1", "255.255.255.255", "192.88.99.1", "::", "::127.0.0.1", "::8.8.8.8", "64:ff9b::7f00:1"),
    *("64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:db8::1", "100::1"),
    *("ff02::1", "4000::1", "::ffff:0:127.0.0.1", "3fff::1", "5f00::1"),
)


@pytest.mark.parametrize(
    ("address", "kind"),
    [*((a, "public") for a in PUBLIC), *((a, "private") for a in PRIVATE), *((a, "reserved") for a in RESERVED)],
)
def test_an_address_is_of_one_kind(address: str, kind: str) -> None:
    """Public, private or reserved, also where IPv6 wraps or translates IPv4."""
    assert of_address(address) == kind
    assert of_host(address) == kind


@pytest.mark.parametrize(
    "host",
    [
        *("2130706433", "0x7f000001", "017700000001", "127.1", "127.0.1", "0177.0.0.1", "0x7f.1", "0x7f.0.0.0x1"),
        *("①②⑦.⓪.⓪.①", "127。0。0。1", "ⓛocalhost"),
        *("127.0.0.1.", "localhost", "LOCALHOST", "localhost.", "a.localhost", "wiki", "db.internal", "nas.local"),
        *("printer.home.arpa", "router.lan", "[::1]", "[fe80::1%25eth0]", "10.1", "167772161", "2852039166"),
    ],
)
def test_this_machine_and_its_network_are_known_in_every_way_of_writing(host: str) -> None:
    """Whole numbers, short, octal and hexadecimal forms, a dot at the end, names of this machine."""
    assert of_host(host) == "private"


@pytest.mark.parametrize(
    "host", ["", ".", "999999999999", "1.2.3.4.5", "0x", "300.1.1.1", "%31%32%37.0.0.1", "0", "0.0"]
)
def test_what_is_no_address_and_no_name_leads_nowhere(host: str) -> None:
    """Numbers that no system reads, and hosts that a proxy might decode, are never let through."""
    assert of_host(host) == "reserved"


@pytest.mark.parametrize(
    "host", ["api.example.com", "api.example.com.", "xn--bcher-kva.ch", "1.1.1.1.nip.io", "a0x7f.com"]
)
def test_a_public_name_must_be_looked_up(host: str) -> None:
    """A name of several parts is known only once it is looked up."""
    assert of_host(host) == "name"


@given(st.ip_addresses())
def test_what_python_takes_for_private_is_never_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """The table is nowhere laxer than the standard library."""
    if not ip.is_global or ip.is_multicast or ip.is_private or ip.is_loopback or ip.is_link_local:
        inner = getattr(ip, "ipv4_mapped", None)
        assert of_address(str(ip)) != "public" or (inner is not None and inner.is_global)
