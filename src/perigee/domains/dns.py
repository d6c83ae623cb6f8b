"""Questions to the DNS. `Resolver` is the seam: everything else of this package gets one handed in."""

from __future__ import annotations

from typing import Literal, Protocol

from dns import asyncresolver, exception, nameserver, rdata, resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from perigee.lib.endpoints import parse_endpoints

SECONDS = 4.0
"""Longest wait for one answer."""

Kind = Literal["TXT", "MX", "A", "AAAA"]


class DnsSilent(Exception):
    """No answer for now: neither that there is a record nor that there is none."""


class Resolver(Protocol):
    async def ask(self, name: str, kind: Kind) -> list[str]:
        """The records under a name, none when there are none. Raises DnsSilent.

        TXT: the strings of each record joined. MX: hosts, best first; '' is the null MX (RFC 7505). Hosts are
        in lower case without a dot at the end.
        """
        ...


class NameServers:
    """The name servers of the setting `dns_servers`; those of this machine when it is empty."""

    def __init__(self, servers: str = "") -> None:
        try:
            self._asked = asyncresolver.Resolver(configure=not servers)
        except (
            resolver.NoResolverConfiguration
        ):  # a machine without any: every question stays without an answer
            self._asked = asyncresolver.Resolver(configure=False)
        if servers:
            self._asked.nameservers = [
                nameserver.Do53Nameserver(host, port) for host, port in parse_endpoints(servers, 53)
            ]

    async def ask(self, name: str, kind: Kind) -> list[str]:
        try:
            answer = await self._asked.resolve(f"{name}.", kind, lifetime=SECONDS)
        except (resolver.NXDOMAIN, resolver.NoAnswer):
            return []
        except (exception.DNSException, OSError, ValueError) as error:
            raise DnsSilent(name) from error
        records = sorted(answer, key=lambda one: one.preference if isinstance(one, MX) else 0)
        return [_text(one) for one in records]


def _text(record: rdata.Rdata) -> str:
    match record:
        case TXT():
            return b"".join(record.strings).decode("utf-8", "replace")
        case MX():
            return record.exchange.to_text().rstrip(".").lower()
    return record.to_text()
