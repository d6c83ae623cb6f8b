"""Lists that come in pages, read to their end."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from perigee.client.transport import Reply, Transport, json
from perigee.client.types import Page

T = TypeVar("T")

LARGEST_PAGE = 500


async def cursor_list(
    transport: Transport, path: str, kind: type[T], /, *, limit: int | None = None, **query: Any
) -> list[T]:
    """An `/api/v4` list; at most `limit` elements if given."""
    read = json(Page[kind])  # type: ignore[valid-type]  # a type at run time
    found: list[T] = []
    cursor: str | None = None
    while limit is None or len(found) < limit:
        rows = LARGEST_PAGE if limit is None else min(LARGEST_PAGE, limit - len(found))
        page: Page[T] = await transport.call(
            "GET", path, read, query={**query, "cursor": cursor, "limit": rows}
        )
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    return found[:limit]


async def indexed_list(
    transport: Transport, path: str, kind: type[T], *, limit: int | None = None, **query: Any
) -> list[T]:
    """A list of the old wire, which counts from 1 and says the whole number in the header `TotalCount`."""
    decoder = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]  # a type at run time

    def read(reply: Reply) -> tuple[list[T], int]:
        return decoder.decode(reply.body), int(reply.headers.get("TotalCount") or 0)

    found: list[T] = []
    while limit is None or len(found) < limit:
        rows = LARGEST_PAGE if limit is None else min(LARGEST_PAGE, limit - len(found))
        page, total = await transport.call(
            "GET", path, read, query={**query, "startindex": len(found) + 1, "maxrows": rows}
        )
        found += page
        if not page or len(found) >= total:
            break
    return found[:limit]
