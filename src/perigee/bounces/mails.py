"""The queue of mail that came in (table `bounce_mail`): stored first, read by a worker, gone when it took effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)

AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Incoming:
    """`recipient`: the local part it was for, whose token names `contact_id`; of mail from a mailbox neither is known."""

    raw: bytes
    recipient: str = ""
    contact_id: int | None = None


class Claimed(NamedTuple):
    org_id: int
    mail_id: int
    recipient: str
    raw: bytes
    received_at: datetime


async def keep(connection: Connection, org_id: int, mails: Sequence[Incoming]) -> list[None]:
    """The set function behind the listener: its 250 follows the commit."""
    await connection.execute(
        q.keep_mail,
        {
            "org_id": org_id,
            "contacts": [mail.contact_id for mail in mails],
            "recipients": [mail.recipient for mail in mails],
            "raws": [mail.raw for mail in mails],
        },
    )
    return [None] * len(mails)


async def claim(connection: Connection) -> list[Claimed]:
    """The caller commits before it reads them, so that a mail that ends its worker is not tried for ever."""
    cursor = await connection.execute(q.claim_mail, {"limit": AT_ONCE})
    return [Claimed(*row) for row in await cursor.fetchall()]


async def release(connection: Connection, org_id: int, ids: Sequence[int]) -> None:
    await connection.execute(q.release_mail, {"org_id": org_id, "ids": list(ids)})


async def delete(connection: Connection, org_id: int, ids: Sequence[int]) -> None:
    await connection.execute(q.delete_mail, {"org_id": org_id, "ids": list(ids)})


async def fail(connection: Connection, org_id: int, ids: Sequence[int]) -> None:
    """They stay as they came, for a month."""
    if ids:
        await connection.execute(q.fail_mail, {"org_id": org_id, "ids": list(ids)})


async def prune(connection: Connection) -> None:
    await connection.execute(q.give_up_mail)
    await connection.execute(q.prune_mail)
