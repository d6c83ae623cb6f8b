"""Typed access to workflows."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.workflows.types import Workflow

q = load(__package__)


async def insert_workflow(
    conn: Connection, org_id: int, *, name: str, status: str, tags: Sequence[str]
) -> Workflow:
    values = {"org_id": org_id, "name": name, "status": status, "tags": list(tags)}
    row = await (await conn.execute(q.insert_workflow, values)).fetchone()
    assert row is not None
    return Workflow(*row)


async def list_workflows(
    conn: Connection, org_id: int, *, part: str | None = None, after: int = 0, skip: int = 0, rows: int
) -> list[Workflow]:
    """By id; `part` is a part of the name, without regard to case."""
    values = {"org_id": org_id, "part": part, "after": after, "skip": skip, "rows": rows}
    return [Workflow(*row) for row in await (await conn.execute(q.list_workflows, values)).fetchall()]
