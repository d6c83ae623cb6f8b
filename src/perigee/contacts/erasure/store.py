"""Typed access to the statements of erasure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from perigee.contacts.erasure import imports
from perigee.contacts.erasure.person import Names, Person
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.segments.live import store as live_segments

q = load(__package__)

TIME_LIMIT = "120s"
"""For one statement: texts in events and orders of nobody have no index."""


async def identities(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> list[Person]:
    cursor = await conn.execute(q.identities, {"org_id": org_id, "contact_ids": list(contact_ids)})
    return [Person(*row) for row in await cursor.fetchall()]


async def scrub_imports(conn: Connection, org_id: int, names: Names) -> None:
    """Before the contacts are locked: an import that is being applied holds its own row first."""
    wanted = {"org_id": org_id, "needles": imports.needles(names), "texts": names.values}
    async with conn.cursor(binary=True) as cursor:
        await cursor.execute(q.lock_imports, wanted)
        found = await cursor.fetchall()
    for session_id, payload, mapping, failures in found:
        left = (
            imports.payload(payload, names),
            imports.mapping(mapping, names),
            imports.failures(failures, names),
        )
        if left != (payload, mapping, failures):
            await conn.execute(
                q.rewrite_import,
                {
                    "org_id": org_id,
                    "session_id": session_id,
                    "payload": left[0],
                    "mapping": left[1],
                    "failures": msgspec.json.encode(left[2]).decode(),
                },
            )


async def erase_contacts(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> None:
    values = {"org_id": org_id, "contact_ids": list(contact_ids)}
    for statement in (q.erase_queue, q.erase_contacts, q.remember_for_sweep):
        await conn.execute(statement, values)


async def erase_traces(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> None:
    """What other tables say about these contacts, by their ids."""
    values = {"org_id": org_id, "contact_ids": list(contact_ids)}
    for statement in (
        q.erase_orders,
        q.erase_events,
        q.erase_own_words,
        q.erase_deliveries,
        q.erase_activity,
        q.erase_waiting,
        q.erase_jobs,
        q.erase_steps,
        q.erase_marks,
        q.erase_merges,
        q.erase_inbox,
        q.erase_promo_codes,
        q.erase_contact_log,
    ):
        await conn.execute(statement, values)
    await live_segments.erase(conn, org_id, contact_ids)


async def erase_nobodys(conn: Connection, org_id: int, names: Names) -> None:
    """What is found by their addresses and external ids only; after they are gone."""
    cursor = await conn.execute(q.nobodys, {"org_id": org_id, "values": names.values})
    gone = [value for (value,) in await cursor.fetchall()]
    texts = names.without(gone)
    values: dict[str, Any] = {
        "org_id": org_id,
        "contact_ids": sorted(names.contact_ids),
        "values": gone,
        "texts": texts,
        "needles": [needle for needle in names.needles if needle.decode().lower() in texts],
    }
    await conn.execute("select set_config('statement_timeout', %s, true)", [TIME_LIMIT])
    for statement in (
        q.erase_nobodys_events,
        q.erase_event_errors,
        q.erase_nobodys_orders,
        q.erase_nobodys_messages,
        q.erase_nobodys_reports,
        q.erase_kept_keys,
        q.erase_came_back,
    ):
        await conn.execute(statement, values)
    ids = [str(contact_id).encode() for contact_id in sorted(names.contact_ids)]
    await conn.execute(q.erase_kept_answers, {"org_id": org_id, "needles": [*values["needles"], *ids]})


async def erase_addresses(conn: Connection, org_id: int, addresses: Sequence[tuple[str, str]]) -> None:
    if addresses:
        await conn.execute(
            q.erase_addresses,
            {
                "org_id": org_id,
                "kinds": [kind for kind, _ in addresses],
                "values": [value for _, value in addresses],
            },
        )


async def due_for_sweep(conn: Connection, seconds: float) -> list[tuple[int, list[int]]]:
    return await (await conn.execute(q.due_for_sweep, {"seconds": seconds})).fetchall()


async def forget_swept(conn: Connection, org_id: int, contact_ids: Sequence[int]) -> None:
    await conn.execute(q.forget_swept, {"org_id": org_id, "contact_ids": list(contact_ids)})
