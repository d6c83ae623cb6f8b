"""The people of a segment page by page, by number (contract 13.2): lists by their keys and kept counts, conditions
from behind the mark that the page before left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from perigee.db.pool import Connection
from perigee.errors import NotFound
from perigee.paging import marks
from perigee.paging.marks import Key, KeyQuery, Mark
from perigee.segments import people, store


async def page(
    conn: Connection,
    org_id: int,
    segment_id: int,
    now: datetime,
    *,
    skip: int,
    rows: int,
    by_joining: bool = False,
    descending: bool = False,
) -> tuple[list[int], int]:
    """(contact ids, number of all), in the order of ids; those of a list also in the order in which they joined.

    Raises NotFound, and Unavailable for a condition that takes more than 30 s.
    """
    found = await store.segment(conn, org_id, segment_id)
    if found is None:
        raise NotFound(f"Segment with id='{segment_id}' is not found")
    listing: _List | _Condition
    if found.kind == "static":
        listing = _List(conn, org_id, segment_id, by_joining, descending)
    else:
        listing = _Condition(conn, org_id, segment_id, now, found.updated_at, descending)
    return await marks.page(conn, org_id, listing, skip=skip, rows=rows)


@dataclass
class _List:
    conn: Connection
    org_id: int
    segment_id: int
    by_joining: bool
    descending: bool

    @property
    def name(self) -> str:
        return marks.listing("list", self.segment_id, self.by_joining, self.descending)

    @property
    def planting(self) -> KeyQuery:
        return store.members_query(
            self.org_id, self.segment_id, by_joining=self.by_joining, descending=self.descending
        )

    async def keys(self, mark: Mark, skip: int, rows: int) -> list[Key]:
        return await marks.read(self.conn, self.planting, mark, skip=skip, rows=rows)

    async def count(self, remembered: int | None) -> int:
        return await store.count_members(self.conn, self.org_id, self.segment_id)


@dataclass
class _Condition:
    conn: Connection
    org_id: int
    segment_id: int
    now: datetime
    changed_at: datetime
    descending: bool

    @property
    def name(self) -> str:
        return marks.listing("condition", self.segment_id, self.changed_at, self.descending)

    @property
    def planting(self) -> None:
        """Nothing: skipping costs no more than working them out would."""
        return

    async def keys(self, mark: Mark, skip: int, rows: int) -> list[Key]:
        ids = await people.members(
            self.conn,
            self.org_id,
            self.segment_id,
            self.now,
            after=mark.key_id,
            rows=rows,
            skip=skip,
            descending=self.descending,
        )
        return [(None, contact_id) for contact_id in ids]

    async def count(self, remembered: int | None) -> int:
        """Whoever walks the pages is told what held when the walk began, at most a minute ago."""
        if remembered is not None:
            return remembered
        return await people.count(self.conn, self.org_id, self.segment_id, self.now)
