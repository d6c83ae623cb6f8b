"""Imports of files: upload, look, try, start, wait, read the report."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import IO, Any

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json, nothing
from perigee.client.types import Page
from perigee.imports.shapes import ImportDetail, ImportFile, PreviewAnswer, Scheme

_PATH = "/api/v4/imports"
_SCHEMES = "/api/v4/import-schemes"
OVER = frozenset({"finished", "cancelled", "failed"})
"""Statuses of an import that goes no further."""
_SHORTEST_LOOK, _LONGEST_LOOK = 0.1, 2.0


async def upload_import(
    transport: Transport, file: IO[bytes], *, name: str, kind: str = "contacts"
) -> ImportDetail:
    """Uploads a file (CSV, TSV, XLSX, JSON Lines); the answer says what was recognised in it."""
    return await transport.upload(_PATH, file, json(ImportDetail), query={"name": name, "kind": kind})


async def get_import(transport: Transport, import_id: int) -> ImportDetail:
    """How far an import is; before its start what was recognised."""
    return await transport.call("GET", f"{_PATH}/{import_id}", json(ImportDetail))


async def list_imports(
    transport: Transport, *, kind: str | None = None, limit: int | None = None
) -> list[ImportFile]:
    """The newest first; at most `limit` of them."""
    return await cursor_list(transport, _PATH, ImportFile, limit=limit, kind=kind)


async def preview_import(
    transport: Transport, import_id: int, plan: Mapping[str, Any] | None = None, *, rows: int = 100
) -> PreviewAnswer:
    """Tries a plan on the first rows; without one as it was recognised. Nothing is saved."""
    path = f"{_PATH}/{import_id}/preview"
    return await transport.call(
        "POST", path, json(PreviewAnswer), body=dict(plan or {}), query={"rows": rows}
    )


async def start_import(
    transport: Transport, import_id: int, plan: Mapping[str, Any] | None = None
) -> ImportFile:
    """Starts it in the background; `wait_for_file_import` waits for its end."""
    path = f"{_PATH}/{import_id}/start"
    return await transport.call("POST", path, json(ImportFile), body=dict(plan or {}))


async def cancel_import(transport: Transport, import_id: int) -> ImportFile:
    """What is saved stays."""
    return await transport.call("POST", f"{_PATH}/{import_id}/cancel", json(ImportFile))


async def wait_for_file_import(transport: Transport, import_id: int) -> ImportDetail:
    """Returns when an import is over. Looks rarely, and ever more so."""
    pause = _SHORTEST_LOOK
    while (found := await get_import(transport, import_id)).status not in OVER:
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_LOOK)
    return found


async def import_report(transport: Transport, import_id: int) -> bytes:
    """CSV: line, level, column, value and rule of everything that was not saved."""
    return await transport.call("GET", f"{_PATH}/{import_id}/report", lambda reply: reply.body)


async def list_import_schemes(transport: Transport, *, kind: str | None = None) -> list[Scheme]:
    """Saved meanings of columns, the one changed last first."""
    return (await transport.call("GET", _SCHEMES, json(Page[Scheme]), query={"kind": kind})).items


async def get_import_scheme(transport: Transport, scheme_id: int) -> Scheme:
    return await transport.call("GET", f"{_SCHEMES}/{scheme_id}", json(Scheme))


async def create_import_scheme(
    transport: Transport, name: str, plan: Mapping[str, Any], *, kind: str = "contacts"
) -> Scheme:
    """`plan`: columns by headings, as `start_import` takes it."""
    body = {"name": name, "plan": plan, "kind": kind}
    return await transport.call("POST", _SCHEMES, json(Scheme), body=body)


async def change_import_scheme(
    transport: Transport, scheme_id: int, name: str, plan: Mapping[str, Any]
) -> Scheme:
    body = {"name": name, "plan": plan}
    return await transport.call("PUT", f"{_SCHEMES}/{scheme_id}", json(Scheme), body=body)


async def delete_import_scheme(transport: Transport, scheme_id: int) -> None:
    await transport.call("DELETE", f"{_SCHEMES}/{scheme_id}", nothing)
