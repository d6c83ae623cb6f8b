"""/api/v4/workflows: their names, so that a list can be asked for."""

from __future__ import annotations

from perigee.errors import Invalid
from perigee.http.v4 import PAGE, Call, Created, Page, Query, cursor_page, operation
from perigee.lib.text import clean_or_none
from perigee.workflows import store
from perigee.workflows.types import Workflow, WorkflowCreate


@operation(
    "POST",
    "/workflows",
    body=WorkflowCreate,
    answer=Workflow,
    example={"name": "Welcome series", "status": "active", "tags": ["promo", "welcome"]},
)
async def create_workflow(call: Call) -> Created:
    """Add a workflow by name."""
    wanted = await call.json(WorkflowCreate)
    name = _text("name", wanted.name)
    tags = list(dict.fromkeys(_text("tags", tag) for tag in wanted.tags))
    async with call.context.database.transaction() as conn:
        return Created(
            await store.insert_workflow(conn, call.org_id, name=name, status=wanted.status, tags=tags)
        )


@operation(
    "GET",
    "/workflows",
    answer=Page[Workflow],
    query=(*PAGE, Query("name", str, "A part of the name, without regard to case")),
)
async def list_workflows_v4(call: Call) -> Page[Workflow]:
    """List workflows, by id."""
    after, limit = cursor_page(call)
    part = clean_or_none(call.query.get("name"))
    async with call.context.database.connection() as conn:
        rows = await store.list_workflows(conn, call.org_id, part=part, after=after, rows=limit + 1)
    page: Page[Workflow] = Page(rows[:limit])
    if len(rows) > limit:
        page.next = str(rows[limit - 1].workflow_id)
    return page


def _text(field: str, value: str) -> str:
    text = clean_or_none(value)
    if text is None:
        raise Invalid(f"{field}: must not be blank", field=field)
    return text
