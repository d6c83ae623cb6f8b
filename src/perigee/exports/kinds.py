"""The kinds of exports: what may be asked of each, its columns, its pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.exports import people, tables
from perigee.exports.types import ExportCreate, Kind, Row, Rows
from perigee.reports.campaign.people import COLUMNS as RECIPIENTS

PERIOD: Final = frozenset({"contact_id", "first", "until"})
MEMBERS: Final[dict[Kind, frozenset[str]]] = {
    "contacts": frozenset({"segment_id", "condition", "follow", "file", "lists", "new_list"}),
    "orders": PERIOD | {"status"},
    "order_items": PERIOD | {"status"},
    "events": PERIOD | {"event_type"},
    "unsubscribed": frozenset(),
    "recipients": frozenset({"recipients"}),
}
"""What may be given beside `kind`, `columns` and `guarded`."""
COLUMNS: Final[dict[Kind, tuple[str, ...]]] = {
    "contacts": people.COLUMNS,
    "orders": tables.ORDERS,
    "order_items": (*tables.ORDERS, *tables.ITEMS),
    "events": tables.EVENTS,
    "unsubscribed": tables.UNSUBSCRIBED,
    "recipients": RECIPIENTS,
}
_CHOICES: Final = ("segment_id", "condition", "follow")
_EMPTY: Final = ExportCreate()


async def check(conn: Connection, org_id: int, wanted: ExportCreate, now: datetime) -> None:
    """Raises Invalid for members that are not of the kind or contradict each other, NotFound for what is not there."""
    given = {
        name for name in ExportCreate.__struct_fields__ if getattr(wanted, name) != getattr(_EMPTY, name)
    }
    if alien := sorted(given - MEMBERS[wanted.kind] - {"kind", "columns", "guarded"}):
        raise Invalid(f"{alien[0]}: is not asked of an export of {wanted.kind}", field=alien[0])
    if wanted.columns is not None and not wanted.columns:
        raise Invalid("columns: name at least one", field="columns")
    if wanted.first and wanted.until and wanted.first >= wanted.until:
        raise Invalid.of("until", wanted.until.isoformat(), "is not after first")
    for name in ("first", "until"):
        if (moment := getattr(wanted, name)) is not None and moment.tzinfo is None:
            raise Invalid.of(name, moment.isoformat(), "must have a time zone, as 2026-03-01T00:00:00Z")
    if wanted.kind == "contacts":
        await _check_people(conn, org_id, wanted, now)
    elif wanted.kind == "recipients":
        if wanted.recipients is None:
            raise Invalid("recipients: is required", field="recipients")
        await tables.check_campaign(conn, org_id, wanted.recipients.campaign_id)
    await headings(conn, org_id, wanted)


async def _check_people(conn: Connection, org_id: int, wanted: ExportCreate, now: datetime) -> None:
    chosen = [name for name in _CHOICES if getattr(wanted, name) is not None]
    if len(chosen) > 1:
        raise Invalid(f"{chosen[1]}: cannot be given beside {chosen[0]}", field=chosen[1])
    if not wanted.file and not wanted.lists and wanted.new_list is None:
        raise Invalid("file: without a file and without lists there is nothing to do", field="file")
    await people.check(conn, org_id, wanted, now)


async def headings(conn: Connection, org_id: int, wanted: ExportCreate) -> Sequence[str]:
    """Raises Invalid for a column that is not there."""
    if wanted.kind == "contacts":
        return await people.columns(conn, org_id, wanted)
    every = COLUMNS[wanted.kind]
    for name in wanted.columns or []:
        if name not in every:
            raise Invalid.of("columns", name, "must be one of " + ", ".join(every))
    return every if wanted.columns is None else wanted.columns


async def begin(
    conn: Connection, org_id: int, export_id: int, wanted: ExportCreate, now: datetime
) -> int | None:
    """What is done once at the start; how many rows there will be, where that is known. Raises Invalid, NotFound."""
    match wanted.kind:
        case "contacts":
            return await people.begin(conn, org_id, export_id, wanted, now)
        case "orders":
            return await tables.count_orders(conn, org_id, wanted)
        case "unsubscribed":
            return await tables.count_unsubscribed(conn, org_id)
        case _:
            return None


async def page(conn: Connection, org_id: int, row: Row, wanted: ExportCreate, limit: int) -> Rows:
    """The rows behind `row.place`, with the wanted columns."""
    match wanted.kind:
        case "contacts":
            return await people.page(conn, org_id, row, wanted, limit)
        case "orders":
            found = await tables.orders(conn, org_id, row, wanted, limit)
        case "order_items":
            found = await tables.order_items(conn, org_id, row, wanted, limit)
        case "events":
            found = await tables.events(conn, org_id, row, wanted, limit)
        case "unsubscribed":
            found = await tables.unsubscribed(conn, org_id, row, limit)
        case "recipients":
            found = await tables.campaign_people(conn, org_id, row, wanted, limit)
    if wanted.columns is None:
        return found
    return Rows(tables.pick(found.rows, COLUMNS[wanted.kind], wanted.columns), found.place)
