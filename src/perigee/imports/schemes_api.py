"""/api/v4/import-schemes: saved meanings of columns."""

from __future__ import annotations

import msgspec

from perigee.http.v4 import Call, Created, Page, Query, Right, operation
from perigee.imports import schemes
from perigee.imports.shapes import Scheme
from perigee.imports.types import Plan
from perigee.lib.scalars import to_text

_PATH = "/import-schemes/{scheme_id:int}"
_PLAN = {
    "columns": [{"column": "E-mail", "target": "email"}, {"column": "Name", "target": "first_name"}],
    "options": {"unique": "email"},
}


class NewScheme(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    plan: Plan
    kind: str = "contacts"


class ChangedScheme(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    plan: Plan


@operation(
    "GET",
    "/import-schemes",
    right=Right.CONTACT_UPDATE,
    answer=Page[Scheme],
    query=(Query("kind", str, "Only schemes of this kind of import", example="contacts"),),
)
async def list_import_schemes(call: Call) -> Page[Scheme]:
    """All saved schemes, the one changed last first; one page."""
    async with call.context.database.connection() as conn:
        return Page(await schemes.all_of(conn, call.org_id, to_text("kind", call.query.get("kind"))))


@operation(
    "POST",
    "/import-schemes",
    right=Right.CONTACT_UPDATE,
    body=NewScheme,
    answer={201: Scheme},
    example={"name": "Shop export", "plan": _PLAN},
    refusals=(409,),
)
async def create_import_scheme(call: Call) -> Created:
    """Save a scheme; files with all of its headings are mapped by it."""
    given = await call.json(NewScheme)
    async with call.context.database.transaction() as conn:
        return Created(await schemes.create(conn, call.org_id, given.kind, given.name, given.plan))


@operation("GET", _PATH, right=Right.CONTACT_UPDATE, answer=Scheme)
async def get_import_scheme(call: Call) -> Scheme:
    """One saved scheme."""
    async with call.context.database.connection() as conn:
        return await schemes.find(conn, call.org_id, call.path["scheme_id"])


@operation(
    "PUT",
    _PATH,
    right=Right.CONTACT_UPDATE,
    body=ChangedScheme,
    answer=Scheme,
    example={"name": "Shop export", "plan": _PLAN},
    refusals=(409,),
)
async def change_import_scheme(call: Call) -> Scheme:
    """Replace a scheme's name and plan."""
    given = await call.json(ChangedScheme)
    async with call.context.database.transaction() as conn:
        return await schemes.change(conn, call.org_id, call.path["scheme_id"], given.name, given.plan)


@operation("DELETE", _PATH, right=Right.CONTACT_UPDATE)
async def delete_import_scheme(call: Call) -> None:
    """Delete a scheme; imports that used it stay."""
    async with call.context.database.transaction() as conn:
        await schemes.delete(conn, call.org_id, call.path["scheme_id"])
