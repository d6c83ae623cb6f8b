"""Lists: segments whose people are named one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from perigee.db.plans import by_key
from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound
from perigee.segments import store


async def ensure_static(conn: Connection, org_id: int, names: Iterable[str]) -> dict[str, int]:
    """Every name with the id of its list; missing lists are made (contract 7.1, `groups`).

    Names are taken as cleaned: trimmed, no control characters, at most `types.MAX_NAME` characters.
    """
    wanted = sorted(set(names))
    if not wanted:
        return {}
    found = await store.static_ids(conn, org_id, wanted)
    if missing := [name for name in wanted if name not in found]:
        await store.insert_static(conn, org_id, missing)
        found |= await store.static_ids(conn, org_id, missing)
    return found


class People(NamedTuple):
    """Who is attached or detached: by our ids, the caller's own ids, or both."""

    contact_ids: Sequence[int] = ()
    external_ids: Sequence[str] = ()

    @property
    def named(self) -> int:
        return len(self.contact_ids) + len(self.external_ids)


async def attach(conn: Connection, org_id: int, segment_id: int, people: People, *, most: int = 500) -> int:
    """Adds people to a list; unknown ones are skipped. Returns how many are new in it.

    Raises NotFound; Invalid for a dynamic segment, nobody named, or more than `most` (contract 13.3).
    """
    if not people.named:
        raise Invalid("contactIds: name people by contactIds or externalCustomerIds", field="contactIds")
    await _check(conn, org_id, segment_id, people, most)
    await by_key(conn)
    return await store.attach(conn, org_id, segment_id, people.contact_ids, people.external_ids)


async def detach(conn: Connection, org_id: int, segment_id: int, people: People, *, most: int = 500) -> int:
    """Takes people out of a list; the others are skipped. Returns how many left. Raises as `attach` does.

    Nobody named means nobody leaves; the old wire's other reading is `empty`.
    """
    await _check(conn, org_id, segment_id, people, most)
    await by_key(conn)
    return await store.detach(conn, org_id, segment_id, people.contact_ids, people.external_ids)


async def empty(conn: Connection, org_id: int, segment_id: int) -> int:
    """Takes everybody out of a list; the people stay. Raises NotFound, Invalid for a dynamic segment."""
    await _check(conn, org_id, segment_id, People(), 0)
    return await store.empty(conn, org_id, segment_id)


async def _check(conn: Connection, org_id: int, segment_id: int, people: People, most: int) -> None:
    found = await store.lock_segment(conn, org_id, segment_id)
    if found is None:
        raise NotFound(f"Segment with id='{segment_id}' is not found")
    if found.kind != "static":
        raise Invalid.of("id", segment_id, "is a dynamic segment; only lists take people by hand")
    if people.named > most:
        raise Invalid(
            f"contactIds: {people.named} ids are more than {most}, the most for one call", field="contactIds"
        )
