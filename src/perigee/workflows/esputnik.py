"""The old wire's list of workflows (contract 20.7)."""

from __future__ import annotations

import msgspec

from perigee.esputnik.face import PAGE, Call, Query, Right, operation, page
from perigee.lib.text import clean_or_none
from perigee.workflows import store


class WorkflowView(msgspec.Struct):
    id: int
    name: str
    status: str
    tags: list[str] | str
    """Several as a list, one as itself (contract section 3)."""


@operation(
    "GET",
    "/v1/workflows",
    section="20.7",
    right=Right.FULL,
    answer=list[WorkflowView],
    query=(Query("name", str, "A part of the name, without regard to case", example="Welcome"), *PAGE),
    answer_example=[
        {"id": 340484, "name": "Welcome series", "status": "active", "tags": ["promo", "welcome"]}
    ],
)
async def list_workflows(call: Call) -> list[WorkflowView]:
    """List workflows, by id."""
    skip, rows = page(call)
    part = clean_or_none(call.query.get("name"))
    async with call.context.database.connection() as conn:
        found = await store.list_workflows(conn, call.org_id, part=part, skip=skip, rows=rows)
    arrays = bool(call.principal.settings.get("always_arrays"))
    return [WorkflowView(one.workflow_id, one.name, one.status, _tags(one.tags, arrays)) for one in found]


def _tags(tags: list[str], always_arrays: bool) -> list[str] | str:
    return tags[0] if len(tags) == 1 and not always_arrays else tags
