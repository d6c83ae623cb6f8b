"""Exports to CSV files and lists."""

from __future__ import annotations

import asyncio
from typing import IO

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json, nothing
from perigee.exports.types import Export, ExportCreate

_PATH = "/api/v4/exports"
_SHORTEST_LOOK, _LONGEST_LOOK = 0.2, 5.0
_UNDER_WAY = frozenset({"waiting", "running"})


async def start_export(transport: Transport, wanted: ExportCreate) -> Export:
    """Made in the background; `wait_for_export` waits for it. Raises NotFound, Conflict for a list's name that is taken."""
    return await transport.call("POST", _PATH, json(Export), body=wanted)


async def list_exports(transport: Transport, *, limit: int | None = None) -> list[Export]:
    """Newest first."""
    return await cursor_list(transport, _PATH, Export, limit=limit)


async def get_export(transport: Transport, export_id: int) -> Export:
    """How far it is, and the link to its file."""
    return await transport.call("GET", f"{_PATH}/{export_id}", json(Export))


async def wait_for_export(transport: Transport, export_id: int) -> Export:
    """Returns when it is done, or over in another way. Looks rarely, and ever more so."""
    pause = _SHORTEST_LOOK
    while (found := await get_export(transport, export_id)).state in _UNDER_WAY:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_LOOK)
    return found


async def save_export(transport: Transport, export_id: int, file: IO[bytes]) -> int:
    """Writes the file of an export that is done, of any size; returns its bytes."""
    return await transport.save(f"{_PATH}/{export_id}/file", file)


async def cancel_export(transport: Transport, export_id: int) -> Export:
    """Raises Conflict when it is over."""
    return await transport.call("POST", f"{_PATH}/{export_id}/cancel", json(Export))


async def delete_export(transport: Transport, export_id: int) -> None:
    """With its file."""
    await transport.call("DELETE", f"{_PATH}/{export_id}", nothing)
