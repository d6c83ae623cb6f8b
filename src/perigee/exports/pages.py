"""The signed link to an export's file: who has it needs no key."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from perigee.errors import PerigeeError
from perigee.esputnik import envelope
from perigee.exports import manage
from perigee.http.body import AnyRequest
from perigee.http.context import AppContext


def export_file(context: AppContext) -> ControllerRouterHandler:
    @get("/exports/{token:str}")
    async def handle(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
        try:
            org_id, export_id = manage.named_by(token, context.keys.links)
            async with context.database.connection() as conn:
                row = await manage.require_file(
                    conn, org_id, export_id, context.settings.export_days, context.now()
                )
        except PerigeeError as error:
            return envelope.render(error, request.url.path)
        return Stream(
            manage.content(context.database, org_id, row),
            media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{row.kind}-{export_id}.csv"',
                "Cache-Control": "private, no-store",
                "X-Robots-Tag": "noindex",
                "X-Content-Type-Options": "nosniff",
            },
        )

    return handle


PAGES = (export_file,)
