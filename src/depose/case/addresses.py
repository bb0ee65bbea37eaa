"""Where an address leads: the one check, before a question is sent, before a proxy, and where a name was looked up.

The tables follow the IANA registries of special-purpose addresses (IPv4 and IPv6) and of the IPv6 address space;
Python's `ipaddress` is asked as well, and the stricter of the two holds. What wraps an IPv4 address, or translates
into one at a place that nobody here can see, is not public.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal["public", "private", "reserved", "name"]
"""`private` is this machine or a network of its user's; `reserved` is nobody's; `name` must be looked up first."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_V4, _V6 = ipaddress.IPv4Network, ipaddress.IPv6Network
PRIVATE: tuple[Network, ...] = (
    *map(_V4, ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")),
    *map(_V6, ("::1/128", "fc00::/7", "fe80::/10", "fec0::/10")),
)
"""Loopback, private, shared (of carriers) and link-local; fec0::/10 is deprecated and still routed within sites."""
RESERVED: tuple[Network, ...] = (
    *map(_V4, ("0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24")),
    *map(_V4, ("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4")),
    *map(_V6, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64")),
    *map(_V6, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "ff00::/8")),
)
"""Of protocols, documentation, benchmarks and multicast; relays and translators between IPv4 and IPv6."""
GLOBAL_V6 = _V6("2000::/3")
"""All that is handed out of IPv6; the rest is reserved."""
LOCAL = (
    *("localhost", "localdomain", "localdomain4", "localdomain6", "local", "internal", "intranet", "private", "corp"),
    *("home", "lan", "arpa", "test", "alt", "onion", "svc", "consul", "fritz.box", "speedport.ip"),
)
"""Ends of names that lead to this machine or its network, or to no public place (RFC 6761, 6762, 7686, 8375, 9476).

The `internal` of ICANN, what clusters, discovery services and routers call themselves, and the names of infrastructure.

A name of one part, such as `localhost` or `wiki`, is local too: no public name has one part.
"""


def of_address(address: str) -> Kind:
    """Say where an address leads that was looked up or written in the usual way; raises ValueError for no address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip  # the system itself takes such an address for the one within
    if any(ip in network for network in PRIVATE):
        return "private"
    if any(ip in network for network in RESERVED):
        return "reserved"
    if ip.version == 6 and ip not in GLOBAL_V6:
        return "reserved"
    return "public" if ip.is_global and not ip.is_multicast else "reserved"


_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
"""A name as it goes to whoever looks it up."""


def of_host(host: str) -> Kind:
    """Say where the host of a URL leads, as far as that can be known without looking it up, in any way of writing."""
    try:  # as whoever looks it up folds it: digits in circles, wide points, other letters
        plain = host.strip("[]").rstrip(".").lower()
        plain = plain if plain.isascii() else plain.encode("idna").decode().rstrip(".").lower()
    except UnicodeError:
        return "reserved"
    if not plain or ("%" in plain and ":" not in plain):  # percent signs that a proxy might decode
        return "reserved"
    try:
        return of_address(plain)
    except ValueError:
        pass
    if re.fullmatch(r"[0-9.]+|(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+))*", plain):
        return _of_number(plain)
    if not _NAME.fullmatch(plain):  # what one reader takes for a name, another parts or folds into an address
        return "reserved"
    local = "." not in plain or any(f".{plain}".endswith(f".{end}") for end in LOCAL)
    return "private" if local else "name"


def of_url(url: str) -> Kind:
    """Say where a URL leads, as far as its host shows; plain http counts as private, since it goes nowhere else."""
    parts = urlsplit(url)
    return "private" if parts.scheme == "http" else of_host(parts.hostname or "")


def _of_number(text: str) -> Kind:
    """Read 2130706433, 0x7f.1, 0177.0.0.1 and 127.1 as the system does; what it cannot read leads nowhere."""
    try:
        return of_address(socket.inet_ntoa(socket.inet_aton(text)))
    except OSError:
        return "reserved"
