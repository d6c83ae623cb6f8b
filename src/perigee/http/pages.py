"""Everything outside the two API faces: pages for people, tracking, health. Each entry makes one route handler."""

from __future__ import annotations

from collections.abc import Callable

from litestar import get
from litestar.types import ControllerRouterHandler

from perigee.http.context import AppContext

Page = Callable[[AppContext], ControllerRouterHandler]


def health(context: AppContext) -> ControllerRouterHandler:
    @get("/health", media_type="application/json")
    async def check() -> dict[str, str]:
        async with context.database.connection() as connection:
            await connection.execute("select 1")
        return {"status": "ok"}

    return check


PAGES: tuple[Page, ...] = (health,)
