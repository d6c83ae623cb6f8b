"""A browser with web push joins the contact that its visitor turns out to be (TRACKING 4.3, product 2)."""

from __future__ import annotations

from collections.abc import Mapping

from perigee.contacts.delete import delete_all
from perigee.db.columns import pack, pack_numbers
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.segments import kinds
from perigee.segments.live.notes import changed

q = load(__package__)


async def join(conn: Connection, org_id: int, contacts: Mapping[str, int]) -> None:
    """`contacts`: contact by visitor. Tokens move; a contact that a subscription had made and that has nothing left
    hands over its history and is deleted."""
    cursor = await conn.execute(
        q.browsers_of_visitors,
        {"org_id": org_id, "visitors": pack(contacts), "contacts": pack_numbers(contacts.values())},
    )
    moves: list[tuple[int, int, int]] = await cursor.fetchall()
    if not moves:
        return
    await conn.execute(
        q.move_browsers,
        {
            "org_id": org_id,
            "token_ids": [token_id for token_id, _, _ in moves],
            "contacts": [new for _, _, new in moves],
        },
    )
    heirs = {old: new for _, old, new in moves}
    cursor = await conn.execute(q.empty_webpush_contacts, {"org_id": org_id, "contact_ids": list(heirs)})
    empty = [contact_id for (contact_id,) in await cursor.fetchall()]
    if empty:
        values = {"org_id": org_id, "old_ids": empty, "new_ids": [heirs[old] for old in empty]}
        await conn.execute(q.hand_over_events, values)
        await conn.execute(q.hand_over_visitors, values)
        await delete_all(conn, org_id, empty, erase=False)
    touched = {contact_id for _, old, new in moves for contact_id in (old, new)}
    await changed(conn, org_id, touched, kinds.TOKENS | kinds.EVENTS)
