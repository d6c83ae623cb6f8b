"""App Inbox: the one channel that needs no provider. A message is delivered when it lies in the person's inbox.

The inbox keeps the first copy of a message and ignores further ones, so unlike with any provider outside, what
became uncertain may simply be sent again (reliability 11).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
import structlog
from msgspec import Meta
from psycopg import errors as pg

from perigee.appinbox import store
from perigee.appinbox.types import Payload
from perigee.db.pool import Database
from perigee.delivery.channel import Medium, Outcome, Outgoing, Reason, Receipt, SetChannel
from perigee.lib.text import clean, clean_lines

log = structlog.get_logger()

SENT = Receipt(Outcome.SENT)
NOT_ALLOWED = Receipt(Outcome.DEFERRED, Reason.LEASE_LOST, counted=False)
AWAY = Receipt(Outcome.DEFERRED, Reason.CONNECTION_LOST, "the database was away", counted=False)
LONGEST_TTL = 10 * 365 * 86400


class AppInboxSettings(msgspec.Struct, frozen=True):
    """How inboxes are kept, from the installation's settings."""

    keep: Annotated[int, Meta(ge=1)] = 1000
    """Messages per contact; a new one pushes the oldest out."""
    ttl_seconds: Annotated[int, Meta(ge=1)] = 86400
    """Life of a message that names none."""


class AppInboxChannel(SetChannel):
    medium = Medium.APP_INBOX
    Settings = AppInboxSettings
    one_at_a_time = True  # larger sets, fewer commits, one connection

    def __init__(self, settings: AppInboxSettings, *, database: Database) -> None:
        super().__init__()
        self._settings = settings
        self._database = database

    async def send(self, batch: Sequence[Outgoing]) -> list[Receipt]:
        receipts: list[Receipt] = []
        rows: dict[int, list[store.Row]] = {}
        for message in batch:
            row = self._row(message)
            if message.allow_send is not None and not message.allow_send():
                receipts.append(NOT_ALLOWED)
            elif isinstance(row, Receipt):
                receipts.append(row)
            else:
                receipts.append(SENT)
                rows.setdefault(message.org_id, []).append(row)
        # One transaction per organisation; in practice a process sends for one at a time.
        away = {org_id for org_id, these in rows.items() if not await self._keep(org_id, these)}
        return [
            AWAY if receipt is SENT and message.org_id in away else receipt
            for message, receipt in zip(batch, receipts, strict=True)
        ]

    async def _keep(self, org_id: int, rows: list[store.Row]) -> bool:
        """False when the database is away (or chose us in a deadlock): nothing was written, or it may be again."""
        try:
            async with self._database.transaction() as connection:
                await store.insert_messages(connection, org_id, rows, keep=self._settings.keep)
        except pg.OperationalError as error:
            log.warning("inboxes wait for the database", error=str(error).split("\n")[0])
            return False
        return True

    def _row(self, message: Outgoing) -> store.Row | Receipt:
        """The message as a row, or the refusal of one that is none."""
        try:
            payload = msgspec.json.decode(message.payload, type=Payload)
        except msgspec.MsgspecError as error:
            return Receipt(Outcome.FAILED, Reason.BAD_MESSAGE, str(error)[:500])
        custom_data = clean_lines(payload.custom_data or "") or None
        return store.Row(
            message.send_id,
            message.ordinal,
            message.contact_id,
            message.iid,
            clean(payload.title),
            clean_lines(payload.text),
            clean(payload.image_source or "") or None,
            clean(payload.link or "") or None,
            category_of(custom_data),
            custom_data,
            ttl_of(payload.ttl_sec, self._settings.ttl_seconds),
        )


def category_of(custom_data: str | None) -> str | None:
    """The member `category` of a message's custom data, when they are an object that has one (contract 18.5, 22.8)."""
    if custom_data is None:
        return None
    try:
        members = msgspec.json.decode(custom_data)
    except msgspec.MsgspecError:
        return None
    category = members.get("category") if isinstance(members, dict) else None
    return (clean(category) or None) if isinstance(category, str) else None


def ttl_of(named: int | None, default: int) -> int:
    """Seconds until a message is gone."""
    return min(named, LONGEST_TTL) if named is not None and named > 0 else default
