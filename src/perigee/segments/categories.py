"""Subscription categories: a key and a list of the same name that holds the subscribers (contract 14)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from perigee.db.pool import Connection
from perigee.errors import Conflict, Invalid, NotFound
from perigee.lib.text import clean_or_none
from perigee.segments import store
from perigee.segments.manage import clean_name
from perigee.segments.static import ensure_static
from perigee.segments.types import Category

MAX_KEY = 100
MOST = 500
"""Categories of an organisation."""


async def list_all(conn: Connection, org_id: int) -> list[tuple[Category, int]]:
    """All categories by id, each with its number of living subscribers."""
    return await store.categories(conn, org_id)


async def create(conn: Connection, org_id: int, name: str, key: str | None = None) -> Category:
    """A category and its list, which is made unless there is one of this name. The key is made from the name
    where none is given. Raises Invalid, and Conflict for a key or a list in use."""
    name = clean_name(name)
    key = make_key(name) if key is None else _clean_key(key)
    existing = await store.categories(conn, org_id)
    if len(existing) >= MOST:
        raise Conflict(f"there are {len(existing)} categories, the most are {MOST}")
    segment_id = (await ensure_static(conn, org_id, [name]))[name]
    return await store.insert_category(conn, org_id, key=key, name=name, segment_id=segment_id)


async def rename(conn: Connection, org_id: int, category_id: int, name: str) -> Category:
    """Renames a category and its list; the key stays. Raises NotFound, Invalid, Conflict for a list's name."""
    name = clean_name(name)
    found = await store.rename_category(conn, org_id, category_id, name)
    if found is None:
        raise NotFound(f"Category with id='{category_id}' is not found")
    row = await store.segment(conn, org_id, found.segment_id)
    assert row is not None
    await store.update_segment(conn, org_id, row._replace(name=name))
    return found


async def delete(conn: Connection, org_id: int, category_id: int) -> None:
    """Deletes a category with its list; the people stay. Raises NotFound."""
    segment_id = await store.delete_category(conn, org_id, category_id)
    if segment_id is None:
        raise NotFound(f"Category with id='{category_id}' is not found")
    await store.delete_segment(conn, org_id, segment_id)


async def of_contact(conn: Connection, org_id: int, contact_id: int) -> list[Category]:
    """The categories a contact subscribes to, by id. Raises NotFound for an unknown contact."""
    if not await store.contact_exists(conn, org_id, contact_id):
        raise _unknown(contact_id)
    return await store.categories_of_contact(conn, org_id, contact_id)


async def set_for_contact(
    conn: Connection, org_id: int, contact_id: int, keys: Sequence[str], *, source: str = "api"
) -> None:
    """Replaces the whole set; none takes all away. Every change goes to the consent log.

    Raises NotFound for an unknown contact, Invalid for an unknown key; then nothing is changed.
    """
    if not await store.lock_contact(conn, org_id, contact_id):
        raise _unknown(contact_id)
    wanted = sorted(set(keys))
    known = await store.catalogue_categories(conn, org_id, wanted)
    for n, key in enumerate(keys):
        if key not in known:
            raise Invalid.of(f"subscriptions[{n}]", key, "is not the key of a subscription category")
    await store.set_categories(conn, org_id, contact_id, wanted, source=source)


def make_key(name: str) -> str:
    """`Spring news!` → `spring-news`; letters of any script stay."""
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-")[:MAX_KEY] or "category"


def _clean_key(key: str) -> str:
    cleaned = clean_or_none(key)
    if cleaned is None or len(cleaned) > MAX_KEY or "," in cleaned:
        raise Invalid.of("key", key, f"must have 1 to {MAX_KEY} characters and no comma")
    return cleaned


def _unknown(contact_id: int) -> NotFound:
    return NotFound(f"Contact with id='{contact_id}' is not found")
