"""Which IP addresses belong to the public internet. Pure.

`ipaddress.is_global` is not asked: it calls multicast, 6to4 and NAT64 addresses global, and its tables differ between
Python versions. The tables here are the IANA special-purpose registries (RFC 6890 and its successors); of IPv6 only
the block that is given out to networks (2000::/3) can be public at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOT_PUBLIC_4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by carriers; also the metadata service of one cloud
            "127.0.0.0/8",
            "168.63.129.16/32",  # a public address that one cloud answers itself, inside each machine
            "169.254.0.0/16",  # link-local; the metadata service of most clouds
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments; the metadata service of one cloud
            "192.0.2.0/24",  # documentation, as the two below
            "192.88.99.0/24",  # relays from 6to4, given up
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_GIVEN_OUT: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
            "2001:db8::/32",  # documentation, as the one below
            "3fff::/20",
        ),
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks such as `10.0.0.0/8 fd00::/8`, separated by spaces or commas. Raises ValueError."""
    return tuple(ip_network(part) for part in text.replace(",", " ").split())


def parse_ports(text: str) -> frozenset[int] | None:
    """`80 443`, separated by spaces or commas, or `any`. Raises ValueError."""
    if text.strip().lower() == "any":
        return None
    ports = frozenset(int(part) for part in text.replace(",", " ").split())
    if not ports or not all(0 < port < 65536 for port in ports):
        raise ValueError(text)
    return ports


def is_public(address: str | Address, also: Sequence[Network] = ()) -> bool:
    """Whether we may connect to it: a public address, or one in the networks `also`. Text that is no address is not."""
    if isinstance(address, str):
        try:
            address = ip_address(address)
        except ValueError:
            return False
    seen = [address]
    while (inner := _wrapped(seen[-1])) is not None:
        seen.append(inner)
    if any(form.version == network.version and form in network for form in seen for network in also):
        return True
    return _is_public(seen[-1])


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address.scope_id is not None:
        return False
    return address in _GIVEN_OUT and not any(address in network for network in _NOT_PUBLIC_6)


def _wrapped(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, to which the packets go in the end."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
