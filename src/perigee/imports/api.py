"""/api/v4/imports: files of contacts and of other kinds, from the upload to the report."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from perigee.errors import Forbidden, Invalid
from perigee.http.operation import MB
from perigee.http.v4 import (
    PAGE,
    Call,
    Created,
    Csv,
    Download,
    Page,
    Query,
    Right,
    cursor_page,
    operation,
)
from perigee.imports import report, schemes, store
from perigee.imports import start as life
from perigee.imports.intake import NAME_LENGTH, incoming
from perigee.imports.kind import KINDS, Kind, kind_of
from perigee.imports.mapping import cleaned
from perigee.imports.resource import detail, previewed, shown
from perigee.imports.shapes import ImportDetail, ImportFile, PreviewAnswer
from perigee.imports.spool import keep
from perigee.imports.types import Plan
from perigee.lib.scalars import to_text

_PATH = "/imports/{import_id:int}"
_PLAN = {
    "columns": [{"column": "E-mail", "target": "email"}, {"column": 1, "target": "first_name"}],
    "options": {"unique": "email", "lists": ["Spring"]},
}


class StartImport(Plan, frozen=True, forbid_unknown_fields=True):
    """A plan, given or saved: without `columns` those of the scheme `scheme_id`, else as they were recognised.
    `save_scheme`: the name under which the plan is kept for the next file."""

    scheme_id: int | None = None
    save_scheme: str | None = None


@operation(
    "POST",
    "/imports",
    right=Right.CONTACT_UPDATE,
    answer={201: ImportDetail},
    query=(
        Query("name", str, "Name of the file; of a form its own", example="contacts.csv"),
        Query("kind", str, "What the rows are", default="contacts"),
    ),
    refusals=(413,),
)
async def upload_import(call: Call) -> Created:
    """Upload a file to be imported: CSV, TSV, XLSX or JSON Lines, as the body itself or as the file of a form."""
    kind = kind_of(call.query.get("kind") or "contacts")
    _check_right(call, kind)
    settings, database = call.context.settings, call.context.database
    # A call with an Idempotency-Key has been read whole, within the limit of ordinary bodies.
    got = await incoming(call.request, call.raw, seconds=settings.request_timeout_seconds)
    name = to_text("name", call.query.get("name") or got.name, limit=NAME_LENGTH) or "file"
    async with database.transaction() as conn:
        import_id = await store.insert(conn, call.org_id, kind.name, name)
    try:
        size = await keep(database, call.org_id, import_id, got.pieces, most=settings.max_upload_file_mb * MB)
        await life.recognise(database, call.org_id, import_id, kind, size)
    except BaseException:
        async with database.transaction() as conn:
            await store.delete(conn, call.org_id, import_id)
        raise
    return Created(await _detail(call, import_id))


@operation(
    "GET",
    "/imports",
    right=Right.CONTACT_UPDATE,
    answer=Page[ImportFile],
    query=(*PAGE, Query("kind", str, "Only imports of this kind", example="contacts")),
)
async def list_imports(call: Call) -> Page[ImportFile]:
    """The history of imports, the newest first."""
    before, limit = cursor_page(call)
    kind = to_text("kind", call.query.get("kind"))
    kinds = [name for name in KINDS if kind in (None, name) and call.principal.may(kind_of(name).right)]
    async with call.context.database.connection() as conn:
        found = await store.page(conn, call.org_id, before=before, rows=limit + 1, kinds=kinds)
    now = datetime.now(UTC)
    page: Page[ImportFile] = Page([shown(one, now) for one in found[:limit]])
    if len(found) > limit:
        page.next = str(found[limit - 1].import_id)
    return page


@operation("GET", _PATH, right=Right.CONTACT_UPDATE, answer=ImportDetail)
async def get_import(call: Call) -> ImportDetail:
    """How far an import has come; before its start what was recognised in the file."""
    await _check_import(call)
    return await _detail(call, call.path["import_id"])


def _check_right(call: Call, kind: Kind) -> None:
    if not call.principal.may(kind.right):
        raise Forbidden(
            f"this key has the access '{call.principal.access}', which does not include {kind.name}"
        )


async def _check_import(call: Call) -> None:
    """A key for contacts has no business with files of orders. Raises NotFound, Forbidden."""
    async with call.context.database.connection() as conn:
        given = await store.find(conn, call.org_id, call.path["import_id"])
    _check_right(call, kind_of(given.kind))


async def _detail(call: Call, import_id: int) -> ImportDetail:
    looked = await life.look(call.context.database, call.org_id, import_id)
    scheme = None
    if looked.given.found is not None and looked.given.status == "ready":
        async with call.context.database.connection() as conn:
            scheme = await schemes.fitting(conn, call.org_id, looked.given.kind, looked.given.found)
    return detail(looked, scheme, datetime.now(UTC))


@operation(
    "POST",
    _PATH + "/preview",
    right=Right.CONTACT_UPDATE,
    body=StartImport,
    answer=PreviewAnswer,
    query=(Query("rows", int, "Rows that are tried, 1 to 500", default=100),),
    example=_PLAN,
    refusals=(409,),
)
async def preview_import(call: Call) -> PreviewAnswer:
    """Try a plan on the first rows: what is wrong with which cell, and which rows would be kept. Nothing is saved."""
    rows = call.query.get("rows") or "100"
    if not rows.isdecimal() or not 1 <= int(rows[:9]) <= 500:
        raise Invalid.of("rows", rows, "must be from 1 to 500")
    await _check_import(call)
    plan = await _plan(call)
    found = await life.preview(
        call.context.database, call.org_id, call.path["import_id"], plan, rows=int(rows)
    )
    return previewed(found)


@operation(
    "POST",
    _PATH + "/start",
    right=Right.CONTACT_UPDATE,
    body=StartImport,
    answer=ImportFile,
    example=_PLAN,
    refusals=(409,),
)
async def start_import(call: Call) -> ImportFile:
    """Start an import; a job runs it."""
    await _check_import(call)
    wanted = await call.json(StartImport, optional=True)
    plan = await _plan(call)
    given = await life.start(
        call.context.database, call.org_id, call.path["import_id"], plan, save_scheme=wanted.save_scheme
    )
    return shown(given, datetime.now(UTC))


async def _plan(call: Call) -> Plan:
    """What the caller says, on top of the scheme that the caller names. Raises Invalid, NotFound (scheme)."""
    wanted = await call.json(StartImport, optional=True)
    given = cleaned(Plan(**{name: getattr(wanted, name) for name in Plan.__struct_fields__}))
    if wanted.scheme_id is None:
        return given
    async with call.context.database.connection() as conn:
        scheme = await schemes.find(conn, call.org_id, wanted.scheme_id)
    said = {
        name: getattr(given, name)
        for name in Plan.__struct_fields__
        if name != "options" and getattr(given, name) != getattr(Plan(), name)
    }
    return msgspec.structs.replace(scheme.plan, **said, options={**scheme.plan.options, **given.options})


@operation("POST", _PATH + "/cancel", right=Right.CONTACT_UPDATE, answer=ImportFile, refusals=(409,))
async def cancel_import(call: Call) -> ImportFile:
    """Cancel an import: what is saved stays, the rest is not; the file is forgotten."""
    await _check_import(call)
    async with call.context.database.transaction() as conn:
        given = await life.cancel(conn, call.org_id, call.path["import_id"])
    return shown(given, datetime.now(UTC))


@operation("GET", _PATH + "/report", right=Right.CONTACT_UPDATE, answer=Csv)
async def download_import_report(call: Call) -> Download:
    """Download what was wrong with which row: line, level, column, value, rule. It is kept for 30 days."""
    import_id = call.path["import_id"]
    await _check_import(call)
    return Download(f"import-{import_id}.csv", report.pieces(call.context.database, call.org_id, import_id))
