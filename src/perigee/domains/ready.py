"""Whether marketing mail may leave from a domain (reliability 21)."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.domains.outfit import domain_of
from perigee.errors import Invalid

log = structlog.get_logger()
q = load(__package__)


async def require_ready(
    connection: Connection, org_id: int, senders: Iterable[str], provider_id: int
) -> None:
    """Raises Invalid for the address of a domain that was added here and lacks SPF, DKIM or DMARC, unless the domain's
    `allow_unverified` says so; then it is logged, as is a domain that was never added and leaves through a relay."""
    domains = sorted({domain_of(sender) for sender in senders})
    values = {"org_id": org_id, "domains": domains, "provider_id": provider_id}
    for domain, allowed in await (await connection.execute(q.unready, values)).fetchall():
        if not allowed:
            raise Invalid(
                f"from: the domain {domain} is not verified: its SPF, DKIM and DMARC records are needed",
                field="from",
                value=domain,
            )
        log.warning("marketing from an unverified domain, as it allows", org_id=org_id, domain=domain)
    for (domain,) in await (await connection.execute(q.unknown, values)).fetchall():
        log.warning("marketing from a domain that is not signed by us", org_id=org_id, domain=domain)
