"""What clicks lead to, remembered: a click on a link that was lately clicked before asks the database for nothing."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import NamedTuple

from perigee.db.pool import Database
from perigee.db.queries import load
from perigee.errors import NotFound
from perigee.messages.links import Click, Recipient
from perigee.messages.short_links import ShortLink
from perigee.messages.utm import tagged

q = load(__package__)

_NO_LINK = 0
"""Stands for a link whose target travels with the click; the table's numbers begin at 1."""


class Target(NamedTuple):
    """`url` is the author's, by which reports count; `location` has the person's UTM tags."""

    url: str
    location: str


async def click_on(database: Database, link: ShortLink) -> Click:
    """The click on a short link. Raises NotFound when the send is gone."""
    async with database.connection() as connection:
        values = {"org_id": link.org_id, "send_id": link.send_id, "ordinal": link.ordinal}
        row = await (await connection.execute(q.contact_of_message, values)).fetchone()
    if row is None:
        raise NotFound("no such link")
    return Click(Recipient(link.org_id, link.send_id, link.ordinal, row[0]), link.link_no, None)


class _Kept(NamedTuple):
    url: str | None
    tags: str | None
    until: float


class Targets:
    """Targets never change once a send began; the organisation's switch of UTM tags is asked anew after `FRESH` seconds."""

    KEEP = 20_000
    FRESH = 60.0

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[tuple[int, int, int, int], _Kept] = OrderedDict()
        self._parts: OrderedDict[tuple[int, int], list[tuple[int, int, int]]] = OrderedDict()

    async def of(self, click: Click) -> Target:
        """Raises NotFound."""
        who = click.recipient
        variant = await self._variant(who.org_id, who.send_id, who.ordinal)
        key = (who.org_id, who.send_id, variant, click.link_no if click.target is None else _NO_LINK)
        kept = self._kept.get(key)
        if kept is None:
            kept = await self._look_up(key)
        elif kept.until < (now := time.monotonic()):
            self._kept[key] = kept._replace(
                until=now + self.FRESH
            )  # one click asks, others do not wait for it
            kept = await self._look_up(key)
        url = kept.url if click.target is None else click.target
        if url is None:
            raise NotFound("no such link")
        return Target(url, tagged(url, kept.tags, who.contact_id))

    async def _variant(self, org_id: int, send_id: int, ordinal: int) -> int:
        """Which variant of an experiment a message is of; where there is none, -1. Ranges never change."""
        parts = self._parts.get((org_id, send_id))
        if parts is None:
            async with self._database.connection() as connection:
                values = {"org_id": org_id, "send_id": send_id}
                rows = await (await connection.execute(q.send_variants, values)).fetchall()
            parts = self._parts[org_id, send_id] = [(first, last, number) for first, last, _, number in rows]
            if len(self._parts) > self.KEEP:
                self._parts.popitem(last=False)
        return next((number for first, last, number in parts if first <= ordinal <= last), -1)

    async def _look_up(self, key: tuple[int, int, int, int]) -> _Kept:
        async with self._database.connection() as connection:
            cursor = await connection.execute(
                q.link_target,
                {"org_id": key[0], "send_id": key[1], "variant": key[2], "link_no": key[3]},
            )
            row = await cursor.fetchone()
        url, tags = row or (None, None)
        kept = _Kept(url, tags, time.monotonic() + self.FRESH)
        if row is not None and (kept.url is not None or key[3] == _NO_LINK):
            self._kept[key] = kept
            self._kept.move_to_end(key)
            if len(self._kept) > self.KEEP:
                self._kept.popitem(last=False)
        return kept
