"""Saved meanings of columns, by headings: a file that looks like the last one needs no mapping by hand."""

from __future__ import annotations

from typing import Any

import msgspec

from perigee.db.pool import Connection
from perigee.errors import Conflict, Invalid, NotFound
from perigee.imports.kind import kind_of
from perigee.imports.mapping import cleaned, fits
from perigee.imports.shapes import Scheme
from perigee.imports.store import q
from perigee.imports.types import Format, Plan
from perigee.lib.scalars import to_text

NAME_LENGTH = 255

_json = msgspec.json.Encoder().encode


async def all_of(conn: Connection, org_id: int, kind: str | None = None) -> list[Scheme]:
    """The one changed last first."""
    return await _list(conn, org_id, kind, None)


async def find(conn: Connection, org_id: int, scheme_id: int) -> Scheme:
    """Raises NotFound."""
    found = await _list(conn, org_id, None, scheme_id)
    if not found:
        raise _not_found(scheme_id)
    return found[0]


async def _list(conn: Connection, org_id: int, kind: str | None, scheme_id: int | None) -> list[Scheme]:
    values = {"org_id": org_id, "kind": kind, "scheme_id": scheme_id}
    rows = await (await conn.execute(q.list_schemes, values)).fetchall()
    return [Scheme(row[0], row[1], row[2], msgspec.convert(row[3], Plan)) for row in rows]


async def create(conn: Connection, org_id: int, kind: str, name: str, plan: Plan) -> Scheme:
    """Raises Invalid, Conflict for a name that is taken."""
    kind_of(kind)
    values: dict[str, Any] = {"org_id": org_id, "kind": kind, **_checked(name, plan)}
    row = await (await conn.execute(q.insert_scheme, values)).fetchone()
    if row is None:
        raise Conflict(f"name: there is a scheme '{values['name']}'")
    return Scheme(row[0], kind, values["name"], plan)


async def change(conn: Connection, org_id: int, scheme_id: int, name: str, plan: Plan) -> Scheme:
    """Raises NotFound, Invalid, Conflict."""
    old = await find(conn, org_id, scheme_id)
    values = _checked(name, plan)
    if any(one.name == values["name"] != old.name for one in await all_of(conn, org_id, old.kind)):
        raise Conflict(f"name: there is a scheme '{values['name']}'")
    await conn.execute(q.update_scheme, {"org_id": org_id, "scheme_id": scheme_id, **values})
    return Scheme(scheme_id, old.kind, values["name"], plan)


async def delete(conn: Connection, org_id: int, scheme_id: int) -> None:
    """Raises NotFound."""
    cursor = await conn.execute(q.delete_scheme, {"org_id": org_id, "scheme_id": scheme_id})
    if await cursor.fetchone() is None:
        raise _not_found(scheme_id)


async def fitting(conn: Connection, org_id: int, kind: str, found: Format) -> Scheme | None:
    """The scheme whose headings are all in the file; of several the one with the most columns."""
    best = max(await all_of(conn, org_id, kind), key=lambda one: fits(one.plan, found), default=None)
    return best if best is not None and fits(best.plan, found) else None


def _checked(name: str, plan: Plan) -> dict[str, Any]:
    told = to_text("name", name, limit=NAME_LENGTH)
    if told is None:
        raise Invalid("name: is required", field="name")
    if not plan.columns:
        raise Invalid("plan.columns: at least one column is required", field="plan.columns")
    return {"name": told, "plan": _json(cleaned(plan)).decode()}


def _not_found(scheme_id: int) -> NotFound:
    return NotFound(f"Scheme with id='{scheme_id}' is not found")
