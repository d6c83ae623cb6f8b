"""/api/v4/exports."""

from __future__ import annotations

from perigee.exports import manage, store
from perigee.exports.types import Export, ExportCreate, Row
from perigee.http.v4 import PAGE, Call, Created, Csv, Download, Page, cursor_page, operation


def _shown(call: Call, row: Row) -> Export:
    settings = call.context.settings
    return manage.shown(
        row,
        call.org_id,
        days=settings.export_days,
        public_url=settings.public_url,
        links=call.context.keys.links,
    )


@operation(
    "POST",
    "/exports",
    body=ExportCreate,
    answer=Export,
    example={"kind": "contacts", "columns": ["email", "first_name"]},
    refusals=(404, 409),
)
async def create_export(call: Call) -> Created:
    """Export people, orders, events, unsubscribed addresses or a campaign's recipients: to a CSV file, people to lists too."""
    wanted = await call.json(ExportCreate)
    async with call.context.database.transaction() as conn:
        return Created(_shown(call, await manage.create(conn, call.org_id, wanted, call.context.now())))


@operation("GET", "/exports", answer=Page[Export], query=PAGE)
async def list_exports(call: Call) -> Page:
    """List exports, newest first."""
    before, limit = cursor_page(call)
    async with call.context.database.connection() as conn:
        rows = await store.list_newest(conn, call.org_id, before=before, limit=limit + 1)
    page = Page([_shown(call, row) for row in rows[:limit]])
    if len(rows) > limit:
        page.next = str(rows[limit - 1].export_id)
    return page


@operation("GET", "/exports/{export_id:int}", answer=Export)
async def get_export(call: Call) -> Export:
    """Read how far an export is, and the link to its file."""
    async with call.context.database.connection() as conn:
        return _shown(call, await manage.get(conn, call.org_id, call.path["export_id"]))


@operation("GET", "/exports/{export_id:int}/file", answer=Csv, refusals=(409,))
async def get_export_file(call: Call) -> Download:
    """Fetch the file of an export that is done: UTF-8, CRLF, a heading, then a line for each row."""
    context = call.context
    async with context.database.connection() as conn:
        row = await manage.require_file(
            conn, call.org_id, call.path["export_id"], context.settings.export_days, context.now()
        )
    return Download(f"{row.kind}-{row.export_id}.csv", manage.content(context.database, call.org_id, row))


@operation("POST", "/exports/{export_id:int}/cancel", answer=Export, refusals=(409,))
async def cancel_export(call: Call) -> Export:
    """Cancel an export that is not done; what is written of its file goes, people who joined lists stay there."""
    async with call.context.database.transaction() as conn:
        return _shown(call, await manage.cancel(conn, call.org_id, call.path["export_id"]))


@operation("DELETE", "/exports/{export_id:int}")
async def delete_export(call: Call) -> None:
    """Delete an export and its file; the link ends."""
    async with call.context.database.transaction() as conn:
        await manage.get(conn, call.org_id, call.path["export_id"])
        await store.delete(conn, call.org_id, call.path["export_id"])
