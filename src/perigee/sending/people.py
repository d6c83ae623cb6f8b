"""Whom a call names: known contacts are found, an unknown address becomes a contact (contract 7.2, 19).

An existing contact is never changed. A new one has that address only, which counts as confirmed; a deleted one comes
back.
"""

from __future__ import annotations

from collections.abc import Sequence

from perigee.contacts.policy import Match, Policy, Write
from perigee.contacts.rows import ContactRow, Token
from perigee.contacts.upsert import Done, upsert
from perigee.db.pool import Connection
from perigee.delivery.suppression import TOKEN_KIND
from perigee.sending import store
from perigee.sending.types import Recipient

MAKE = Policy(Match(("email", "phone", "token"), "search"), Write(listed=frozenset()), source="send")
"""Whoever brought the same address meanwhile stays as they are."""


async def find_or_make(
    conn: Connection, org_id: int, channel: str, recipients: Sequence[Recipient]
) -> list[int | str]:
    """Contact ids; a text where there is nobody and nobody can be made."""
    found: list[int | str | None] = list(await store.find_contacts(conn, org_id, channel, recipients))
    unknown = [place for place, contact_id in enumerate(found) if contact_id is None]
    new = [place for place in unknown if recipients[place].kind not in ("contact", "external")]
    if new:
        rows = [_row(channel, recipients[place]) for place in new]
        for place, made in zip(new, await upsert(conn, org_id, rows, MAKE), strict=True):
            found[place] = made.contact_id if isinstance(made, Done) else made.message
    return [_nobody(one) if known is None else known for one, known in zip(recipients, found, strict=True)]


def _row(channel: str, one: Recipient) -> ContactRow:
    match one.kind:
        case "email":
            return ContactRow(email=one.value, email_spelling=one.spelling)
        case "phone":
            return ContactRow(phone=one.value)
        case _:
            return ContactRow(tokens=(Token(TOKEN_KIND.get(channel, channel), one.value),))


def _nobody(one: Recipient) -> str:
    name = "id" if one.kind == "contact" else "externalCustomerId"
    return f"Contact with {name}='{one.value[:80]}' is not found"
