"""Which records the owner of a domain has to publish. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Literal

import msgspec

from perigee.domains.keys import selectors
from perigee.domains.types import Purpose, State

RecordType = Literal["TXT", "MX", "CNAME", "A", "AAAA"]
DMARC = "v=DMARC1; p=none"
"""Asks for nothing yet; RFC 9989 dropped `pct`, `rf` and `ri`."""
SERVICES: Mapping[str, str] = {
    "ses": "include:amazonses.com",
    "sendgrid": "include:sendgrid.net",
    "mailgun": "include:mailgun.org",
    "postmark": "include:spf.mtasv.net",
}
"""What lets a known service send, by the `service` of an SMTP provider."""


class Finding(msgspec.Struct, frozen=True):
    """What a check saw of one record."""

    state: State = "unchecked"
    why: str = ""
    found: list[str] = []


@dataclass(frozen=True, slots=True)
class Pair:
    """The public side of a pair of keys; `found` and so on as in the table."""

    pair_id: int
    selector: str
    rsa_public: str
    ed_public: str
    active: bool
    rsa_found: bool
    replaced_at: datetime | None


@dataclass(frozen=True, slots=True)
class Domain:
    """A row of `sender_domain` with its pairs, the signing one first."""

    domain_id: int
    domain: str
    bounce_domain: str
    tracking_domain: str
    allow_unverified: bool
    verified_at: datetime | None
    bounce_verified_at: datetime | None
    tracking_verified_at: datetime | None
    findings: Mapping[str, Finding]
    checked_at: datetime | None
    created_at: datetime
    pairs: Sequence[Pair]

    @property
    def live(self) -> list[Pair]:
        return [pair for pair in self.pairs if pair.replaced_at is None]

    @property
    def signed(self) -> bool:
        return any(pair.active and pair.rsa_found for pair in self.pairs)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Of the installation and organisation: `host` serves links, `bounce_host` takes bounces; `mechanisms` are the SPF
    terms that let the organisation's relays send."""

    host: str
    bounce_host: str
    mechanisms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    purpose: Purpose
    type: RecordType
    name: str
    value: str
    required: bool
    pair_id: int | None = None

    @property
    def key(self) -> str:
        """Names the record in `sender_domain.findings`."""
        return f"{self.purpose} {self.name}"


def wanted(domain: Domain, around: Surroundings) -> list[Wanted]:
    """In the order in which they are shown."""
    spf = " ".join(["v=spf1", *around.mechanisms, "~all"])
    bounces = domain.bounce_verified_at is not None
    out: list[Wanted] = []
    for pair in domain.live:
        rsa, ed = selectors(pair.selector)
        for purpose, selector, value, required in (
            ("dkim_rsa", rsa, f"v=DKIM1; k=rsa; p={pair.rsa_public}", True),
            ("dkim_ed25519", ed, f"v=DKIM1; k=ed25519; p={pair.ed_public}", False),
        ):
            name = f"{selector}._domainkey.{domain.domain}"
            out.append(Wanted(purpose, "TXT", name, value, required, pair.pair_id))  # type: ignore[arg-type]  # a literal of the tuple
    # SPF is looked up for the envelope sender: this domain until the bounce domain takes its place.
    out.append(Wanted("spf", "TXT", domain.domain, spf, not bounces))
    out.append(Wanted("dmarc", "TXT", f"_dmarc.{domain.domain}", DMARC, True))
    out.append(Wanted("bounce_mx", "MX", domain.bounce_domain, f"10 {around.bounce_host}", False))
    out.append(Wanted("bounce_spf", "TXT", domain.bounce_domain, spf, False))
    out.append(Wanted("tracking", _address_type(around.host), domain.tracking_domain, around.host, False))
    return out


def _address_type(host: str) -> RecordType:
    try:
        return "A" if ip_address(host).version == 4 else "AAAA"
    except ValueError:
        return "CNAME"


def mechanisms(relays: Sequence[tuple[str, str]], host: str) -> tuple[str, ...]:
    """SPF terms for relays given as (host, service); a relay on this machine sends from `host`."""
    named = [SERVICES.get(service) or _term(relay, host) for relay, service in relays]
    return tuple(dict.fromkeys(named)) or (_term(host, host),)


def _term(relay: str, host: str) -> str:
    try:
        address = ip_address(relay)
    except ValueError:
        return _term(host, "") if host and relay.lower() == "localhost" else f"a:{relay.lower()}"
    if address.is_loopback and host:
        return _term(host, "")
    return f"ip{address.version}:{address}"
