"""What can be done with sender domains: check them, give them new keys, show them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

import structlog

from perigee.db.pool import Connection, Database
from perigee.domains import keys, store
from perigee.domains.check import check
from perigee.domains.dns import NameServers, Resolver
from perigee.domains.reachable import Reach, over_https
from perigee.domains.records import Domain, Finding, Surroundings, mechanisms, wanted
from perigee.domains.sign import VALID_SECONDS
from perigee.domains.types import OldKey, Record, SenderDomain
from perigee.errors import Conflict, Invalid, NotFound
from perigee.lib.addresses import normal_domain
from perigee.lib.outside import Rules
from perigee.settings import Settings

log = structlog.get_logger()

MOST = 100
"""Domains of an organisation."""


async def surroundings(connection: Connection, org_id: int, settings: Settings) -> Surroundings:
    host = urlsplit(settings.public_url).hostname or ""
    relays = await store.relays(connection, org_id)
    return Surroundings(host, settings.bounce_host.lower() or host, mechanisms(relays, host))


async def find(connection: Connection, org_id: int, domain_id: int) -> Domain:
    """Raises NotFound."""
    found = await store.list_domains(connection, org_id, domain_id)
    if not found:
        raise NotFound(f"Domain {domain_id} is not found")
    return found[0]


def below(domain: str, name: str, field: str) -> str:
    """A name of the domain's own zone in its usual form. Raises Invalid."""
    normal = normal_domain(name)
    if normal is None or not normal.endswith(f".{domain}"):
        raise Invalid.of(field, name, f"must be a name below {domain}")
    return normal


async def add(
    database: Database,
    org_id: int,
    sealing: bytes,
    name: str,
    *,
    bounce_domain: str | None,
    tracking_domain: str | None,
    allow_unverified: bool,
) -> int:
    """The id of a new domain with its first keys. Raises Invalid, and Conflict for one that is there."""
    domain = normal_domain(name)
    if domain is None:
        raise Invalid.of("domain", name, "is not a domain")
    bounces = below(domain, bounce_domain or f"bounce.{domain}", "bounce_domain")
    links = below(domain, tracking_domain or f"links.{domain}", "tracking_domain")
    if bounces == links:
        # The MX of the one and the CNAME of the other cannot stand under one name (RFC 1034 3.6.2).
        raise Invalid.of("tracking_domain", links, "must not be the bounce domain")
    pair = await asyncio.to_thread(keys.make_pair)
    async with database.transaction() as connection:
        if await store.count_domains(connection, org_id) >= MOST:
            raise Conflict(f"There are {MOST} domains, which is as many as there may be")
        domain_id = await store.insert_domain(
            connection,
            org_id,
            domain,
            bounce_domain=bounces,
            tracking_domain=links,
            allow_unverified=allow_unverified,
        )
        if domain_id is None:
            raise Conflict(f"Domain {domain} is there already")
        await store.insert_pair(connection, org_id, domain_id, domain, pair, sealing)
    return domain_id


async def rotate(database: Database, org_id: int, sealing: bytes, domain_id: int) -> None:
    """New keys, which take over once their records are found. Raises NotFound, and Conflict while others wait."""
    pair = await asyncio.to_thread(keys.make_pair)
    async with database.transaction() as connection:
        domain = await store.lock_domain(connection, org_id, domain_id)
        if domain is None:
            raise NotFound(f"Domain {domain_id} is not found")
        if not await store.insert_pair(connection, org_id, domain_id, domain, pair, sealing):
            raise Conflict(f"New keys of {domain} wait for their records already")


class Checks:
    """Checks domains with the name servers and the way out that the settings name."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        resolver: Resolver | None = None,
        reach: Reach | None = None,
    ) -> None:
        self._database = database
        self._settings = settings
        self._resolver = resolver or NameServers(settings.dns_servers)
        self._reach = reach or over_https(Rules.of(settings.outside_networks, settings.outside_ports))

    async def check(self, org_id: int, domain_id: int) -> None:
        """Looks and keeps what was seen. A domain that came into order or fell out of it is logged. Raises NotFound."""
        async with self._database.connection() as connection:
            domain = await find(connection, org_id, domain_id)
            around = await surroundings(connection, org_id, self._settings)
        checked = await check(domain, around, self._resolver, self._reach)
        async with self._database.transaction() as connection:
            await store.note_check(connection, org_id, domain, checked)
            now = await store.list_domains(connection, org_id, domain_id)
        for after in now:
            _tell(org_id, domain, after)

    async def check_due(self) -> None:
        """The domains whose turn it is, at most 20."""
        async with self._database.transaction() as connection:
            due = await store.take_due(connection, 20)
        for org_id, domain_id in due:
            try:
                await self.check(org_id, domain_id)
            except NotFound:  # removed in between
                continue


def _tell(org_id: int, before: Domain, after: Domain) -> None:
    for what, was, is_ in (
        ("verified", before.verified_at is not None, after.verified_at is not None),
        ("signed", before.signed, after.signed),
        ("bounce domain", before.bounce_verified_at is not None, after.bounce_verified_at is not None),
        ("tracking domain", before.tracking_verified_at is not None, after.tracking_verified_at is not None),
    ):
        if was and not is_:
            wrong = {key: found.why for key, found in after.findings.items() if found.state == "not_met"}
            log.warning(
                "sender domain fell out of order", org_id=org_id, domain=after.domain, lost=what, wrong=wrong
            )
        elif is_ and not was:
            log.info("sender domain is in order", org_id=org_id, domain=after.domain, gained=what)


def view(domain: Domain, around: Surroundings) -> SenderDomain:
    records = []
    for one in wanted(domain, around):
        seen = domain.findings.get(one.key, Finding())
        records.append(
            Record(one.purpose, one.type, one.name, one.value, one.required, seen.state, seen.why, seen.found)
        )
    keep = timedelta(seconds=VALID_SECONDS)
    old = [
        OldKey(
            [f"{selector}._domainkey.{domain.domain}" for selector in keys.selectors(pair.selector)],
            pair.replaced_at + keep,
        )
        for pair in domain.pairs
        if pair.replaced_at is not None
    ]
    return SenderDomain(
        domain_id=domain.domain_id,
        domain=domain.domain,
        bounce_domain=domain.bounce_domain,
        tracking_domain=domain.tracking_domain,
        allow_unverified=domain.allow_unverified,
        verified=domain.verified_at is not None,
        signed=domain.signed,
        bounces=domain.bounce_verified_at is not None,
        tracked=domain.tracking_verified_at is not None,
        rotating=len(domain.live) > 1,
        verified_at=domain.verified_at,
        checked_at=domain.checked_at,
        created_at=domain.created_at,
        records=records,
        old_keys=old,
    )
