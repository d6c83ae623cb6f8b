"""A person's inbox as their page sees it (contract 22.8, product 11): the newest first, what has expired is gone."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from uuid import UUID

from msgspec import UNSET

from perigee.appinbox import store
from perigee.appinbox.types import InboxMessage, InboxPage, StatusChange
from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.lib.dates import to_millis
from perigee.lib.scalars import one_or_many, to_int, to_text

PAGE_SIZE: Final = 20
"""Of a page whose size is not named."""
MOST: Final = 1_000_000

_OPENED: Final = {"OPENED": True, "UNOPENED": False}


class Wanted(NamedTuple):
    """`size` None: everything on one page. `opened` None: whether opened or not."""

    page: int
    size: int | None
    opened: bool | None


def wanted(page: object, size: object, status: object) -> Wanted:
    """From the values of the query string. Without page and size all messages are wanted. Raises Invalid."""
    number = to_int("page", page, low=0, high=MOST)
    rows = to_int("pageSize", size, low=1, high=MOST)
    if rows is None and number is not None:
        rows = PAGE_SIZE
    name = to_text("status", status)
    if name is not None and name.upper() not in _OPENED:
        raise Invalid.of("status", name, "must be OPENED or UNOPENED")
    return Wanted(number or 0, rows, None if name is None else _OPENED[name.upper()])


async def read_page(conn: Connection, org_id: int, contact_id: int, what: Wanted) -> InboxPage:
    total = await store.count_messages(conn, org_id, contact_id, what.opened)
    size = what.size or max(total, 1)
    kept = await store.list_messages(conn, org_id, contact_id, what.opened, rows=size, skip=what.page * size)
    return InboxPage([_shown(one) for one in kept], -(-total // size))


def _shown(kept: store.Kept) -> InboxMessage:
    return InboxMessage(
        id=str(kept.inbox_id),
        created_date=to_millis(kept.created_at),
        title=kept.title,
        content=kept.content,
        new_message=not kept.opened,
        status="OPENED" if kept.opened else "UNOPENED",
        image=kept.image or UNSET,
        link=kept.link or UNSET,
        category=kept.category or UNSET,
        custom_data=kept.custom_data or UNSET,
    )


def ids_to_open(change: StatusChange, *, most: int) -> list[UUID] | None:
    """Which messages a change is about, None: all. Raises Invalid."""
    status = to_text("status", change.status)
    if status is None:
        raise Invalid("status: is required", field="status")
    if status.upper() != "OPENED":
        raise Invalid.of("status", status, "must be OPENED")
    if change.ids is None:
        return None
    given = one_or_many(change.ids)
    if len(given) > most:
        raise Invalid(f"ids: {len(given)} ids are more than {most}", field="ids")
    return [_uuid(value) for value in given]


def _uuid(value: Any) -> UUID:
    try:
        return UUID(to_text("ids", value) or "")
    except ValueError:
        raise Invalid.of("ids", value, "is not the id of a message") from None
