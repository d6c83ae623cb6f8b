"""Whose call it is: the address of the connection, or what a proxy that we trust says of it.

`X-Forwarded-For` is a list to which each proxy adds the address it was called from; its first entries are whatever the
caller wrote. Read from the end, the first address that is no trusted proxy is the caller (reliability: a forged header
changes nothing). uvicorn's middleware does that, and reads `X-Forwarded-Proto`.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address
from typing import Any, cast

from litestar.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from perigee.http.body import AnyRequest
from perigee.lib.public_addresses import parse_networks


def behind_proxies(app: ASGIApp, trusted: str) -> ASGIApp:
    """`app`, told the caller's address. `trusted`: networks of the proxies, as in the setting `trusted_proxies`."""
    wrapped: Any = ProxyHeadersMiddleware(cast(Any, app), list(_hosts(trusted)))
    return cast(ASGIApp, wrapped)


def _hosts(trusted: str) -> Iterator[str]:
    for network in parse_networks(trusted):
        yield str(network)
        if network.version == 4:  # as a socket for both families spells it
            yield f"::ffff:{network.network_address}/{96 + network.prefixlen}"


def client_address(request: AnyRequest) -> str:
    """The caller's IP address in its one spelling, IPv4 as such; "" where it is unknown."""
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)
