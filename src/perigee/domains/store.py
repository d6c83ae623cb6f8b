"""Typed access to sender domains and their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.domains import keys
from perigee.domains.check import Checked
from perigee.domains.records import Domain, Finding, Pair
from perigee.domains.sign import VALID_SECONDS

q = load(__package__)


async def insert_domain(
    conn: Connection,
    org_id: int,
    domain: str,
    *,
    bounce_domain: str,
    tracking_domain: str,
    allow_unverified: bool,
) -> int | None:
    """Its id; None when it is there already."""
    values = {
        "org_id": org_id,
        "domain": domain,
        "bounce_domain": bounce_domain,
        "tracking_domain": tracking_domain,
        "allow_unverified": allow_unverified,
    }
    row = await (await conn.execute(q.insert_domain, values)).fetchone()
    return int(row[0]) if row else None


async def count_domains(conn: Connection, org_id: int) -> int:
    row = await (await conn.execute(q.count_domains, {"org_id": org_id})).fetchone()
    assert row is not None
    return int(row[0])


async def list_domains(conn: Connection, org_id: int, domain_id: int | None = None) -> list[Domain]:
    """All, or the one."""
    cursor = await conn.execute(q.list_domains, {"org_id": org_id, "domain_id": domain_id})
    return [_domain(row) for row in await cursor.fetchall()]


def _domain(row: Sequence[Any]) -> Domain:
    values = list(row)
    values[8] = msgspec.convert(values[8], dict[str, Finding])
    values[11] = msgspec.convert(values[11], list[Pair])
    return Domain(*values)


async def update_domain(
    conn: Connection,
    org_id: int,
    domain_id: int,
    *,
    bounce_domain: str | None,
    tracking_domain: str | None,
    allow_unverified: bool | None,
) -> bool:
    """Was there one? None leaves as it is."""
    values = {
        "org_id": org_id,
        "domain_id": domain_id,
        "bounce_domain": bounce_domain,
        "tracking_domain": tracking_domain,
        "allow_unverified": allow_unverified,
    }
    return await (await conn.execute(q.update_domain, values)).fetchone() is not None


async def delete_domain(conn: Connection, org_id: int, domain_id: int) -> bool:
    """Was there one? Its keys go with it."""
    values = {"org_id": org_id, "domain_id": domain_id}
    return await (await conn.execute(q.delete_domain, values)).fetchone() is not None


async def lock_domain(conn: Connection, org_id: int, domain_id: int) -> str | None:
    """The name of the domain, which nobody else changes until the transaction ends."""
    values = {"org_id": org_id, "domain_id": domain_id}
    row = await (await conn.execute(q.lock_domain, values)).fetchone()
    return str(row[0]) if row else None


async def insert_pair(
    conn: Connection, org_id: int, domain_id: int, domain: str, pair: keys.Pair, sealing: bytes
) -> bool:
    """False when another pair waits for its records."""
    values = {
        "org_id": org_id,
        "domain_id": domain_id,
        "selector": pair.selector,
        "rsa_public": pair.rsa_public,
        "ed_public": pair.ed_public,
        "private": keys.sealed(sealing, org_id, domain, pair),
    }
    return await (await conn.execute(q.insert_pair, values)).fetchone() is not None


async def note_check(conn: Connection, org_id: int, domain: Domain, checked: Checked) -> None:
    """Keeps what a check saw. A pair whose records have come takes the place of the one that signed."""
    key = {"org_id": org_id, "domain_id": domain.domain_id}
    await conn.execute(q.lock_domain, key)
    pairs = list(checked.rsa)
    await conn.execute(
        q.note_pairs,
        {
            "org_id": org_id,
            "pairs": pairs,
            "rsa": [checked.rsa[pair] for pair in pairs],
            "ed": [checked.ed[pair] for pair in pairs],
        },
    )
    await conn.execute(q.replace_pair, key)
    await conn.execute(q.activate_pair, key)
    await conn.execute(q.forget_pairs, {**key, "seconds": VALID_SECONDS})
    await conn.execute(
        q.note_check,
        {
            **key,
            "findings": msgspec.json.encode(checked.findings).decode(),
            "verified": checked.verified,
            "bounces": checked.bounces,
            "tracked": checked.tracked,
            "bounce_domain": domain.bounce_domain,
            "tracking_domain": domain.tracking_domain,
        },
    )


async def take_due(conn: Connection, limit: int) -> list[tuple[int, int]]:
    """(org_id, domain_id) of domains to check now; nobody else gets them."""
    return [(row[0], row[1]) for row in await (await conn.execute(q.take_due, {"limit": limit})).fetchall()]


async def relays(conn: Connection, org_id: int) -> list[tuple[str, str]]:
    """(host, service) of the SMTP relays in use."""
    return [(row[0], row[1]) for row in await (await conn.execute(q.relays, {"org_id": org_id})).fetchall()]
