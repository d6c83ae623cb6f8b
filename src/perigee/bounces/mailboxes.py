"""Mailboxes that bounces are fetched from (table `bounce_mailbox`): each mail once, stored before it is marked as seen."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import structlog

from perigee.bounces import imap, mails
from perigee.bounces.imap import Look, MailboxError, Place
from perigee.bounces.mails import Incoming
from perigee.bounces.types import Mailbox, MailboxCreate
from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.errors import Conflict, NotFound
from perigee.keys import Keys
from perigee.lib.tokens import seal, unseal

log = structlog.get_logger()
q = load(__package__)


class _Due(NamedTuple):
    org_id: int
    mailbox_id: int
    host: str
    port: int
    security: str
    username: str
    password: bytes
    folder: str
    uid_validity: int | None
    last_uid: int

    def place(self, keys: Keys) -> Place:
        password = unseal(keys.sealing, self.password).decode()
        return Place(self.host, self.port, self.security, self.username, password, self.folder)


async def create(connection: Connection, keys: Keys, org_id: int, wanted: MailboxCreate) -> Mailbox:
    values: dict[str, Any] = {
        "org_id": org_id,
        "host": wanted.host,
        "port": wanted.port,
        "security": wanted.security,
        "username": wanted.username,
        "password": seal(keys.sealing, wanted.password.encode()),
        "folder": wanted.folder,
    }
    row = await (await connection.execute(q.insert_mailbox, values)).fetchone()
    assert row is not None
    return Mailbox(*row)


async def list_all(connection: Connection, org_id: int) -> list[Mailbox]:
    cursor = await connection.execute(q.list_mailboxes, {"org_id": org_id})
    return [Mailbox(*row) for row in await cursor.fetchall()]


async def remove(connection: Connection, org_id: int, mailbox_id: int) -> None:
    """Raises NotFound."""
    cursor = await connection.execute(q.delete_mailbox, {"org_id": org_id, "mailbox_id": mailbox_id})
    if await cursor.fetchone() is None:
        raise NotFound(f"bounce mailbox {mailbox_id} does not exist")


async def test(database: Database, keys: Keys, org_id: int, mailbox_id: int) -> None:
    """Signs in and opens the folder. Raises NotFound, and Conflict with the server's words."""
    async with database.connection() as connection:
        cursor = await connection.execute(q.get_mailbox, {"org_id": org_id, "mailbox_id": mailbox_id})
        row = await cursor.fetchone()
    if row is None:
        raise NotFound(f"bounce mailbox {mailbox_id} does not exist")
    try:
        await asyncio.to_thread(_try, _Due(*row).place(keys))
    except MailboxError as error:
        raise Conflict(f"the mailbox cannot be read: {error}") from None


def _try(place: Place) -> None:
    with imap.opened(place) as client:
        imap.select(client, place.folder)


async def poll(database: Database, keys: Keys) -> None:
    """Looks into those whose time it is; one that fails holds up none of the others."""
    async with database.transaction() as connection:
        due = [_Due(*row) for row in await (await connection.execute(q.due_mailboxes)).fetchall()]
    await asyncio.gather(*[_fetch(database, keys, one) for one in due])


async def _fetch(database: Database, keys: Keys, one: _Due) -> None:
    ids = {"org_id": one.org_id, "mailbox_id": one.mailbox_id}
    place = one.place(keys)
    try:
        found = await asyncio.to_thread(_look, place, one)
        if await _store(database, one, found) and found.mails:
            await asyncio.to_thread(_seen, place, list(found.mails))
    except MailboxError as error:
        log.warning("bounce mailbox cannot be read", error=str(error), **ids)
        async with database.transaction() as connection:
            await connection.execute(q.note_mailbox_error, {**ids, "error": str(error)})


def _look(place: Place, one: _Due) -> Look:
    with imap.opened(place) as client:
        return imap.look(client, place.folder, one.uid_validity, one.last_uid)


def _seen(place: Place, uids: list[int]) -> None:
    with imap.opened(place) as client:
        imap.select(client, place.folder)
        imap.mark_seen(client, uids)


async def _store(database: Database, one: _Due, found: Look) -> bool:
    """The mails and how far we are, together; False when another worker was first."""
    async with database.transaction() as connection:
        cursor = await connection.execute(
            q.advance_mailbox,
            {
                "org_id": one.org_id,
                "mailbox_id": one.mailbox_id,
                "uid_validity": found.uid_validity,
                "last_uid": found.last_uid,
                "before_validity": one.uid_validity,
                "before": one.last_uid,
            },
        )
        if await cursor.fetchone() is None:
            return False
        if found.mails:
            await mails.keep(connection, one.org_id, [Incoming(raw) for raw in found.mails.values()])
    return True
