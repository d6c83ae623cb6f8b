"""The unsubscribed mark of addresses: on and off, each change logged with who and why (contract 12, product 5).

It is the address that is marked, not the contact, in the whole organisation. An address nobody has yet may be
marked too: whoever brings it later stays unsubscribed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.segments.live.notes import addresses_changed

q = load(__package__)


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """`value` is the normal form; `kind` is `email` or `phone`; `source` says where the wish came from;
    `detail` is kept with it (`consent.proof`)."""

    kind: str
    value: str
    source: str
    contact_id: int | None = None
    reason: str | None = None
    send_id: int | None = None
    detail: Mapping[str, str] = field(default_factory=dict)


async def unsubscribe(connection: Connection, org_id: int, items: Sequence[Unsubscribe]) -> list[Unsubscribe]:
    """Returns those that were not marked before."""
    if not items:
        return []
    cursor = await connection.execute(
        q.unsubscribe_addresses,
        {
            "org_id": org_id,
            "kinds": [item.kind for item in items],
            "values": [item.value for item in items],
            "contacts": [item.contact_id for item in items],
            "sources": [item.source for item in items],
            "reasons": [item.reason for item in items],
            "sends": [item.send_id for item in items],
            "details": [msgspec.json.encode(item.detail).decode() for item in items],
        },
    )
    changed = {(kind, value) for kind, value in await cursor.fetchall()}
    await addresses_changed(connection, org_id, changed)
    first: dict[tuple[str, str], Unsubscribe] = {}
    for item in items:
        first.setdefault((item.kind, item.value), item)
    return [item for key, item in first.items() if key in changed]


async def resubscribe(
    connection: Connection, org_id: int, kind: str, values: Sequence[str], *, source: str
) -> list[str]:
    """Returns the addresses that were marked before."""
    cursor = await connection.execute(
        q.resubscribe_addresses, {"org_id": org_id, "kind": kind, "values": list(values), "source": source}
    )
    changed = [(kind, value) for kind, value in await cursor.fetchall()]
    await addresses_changed(connection, org_id, changed)
    return [value for _, value in changed]
