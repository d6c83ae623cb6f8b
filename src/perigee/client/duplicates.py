"""Contacts that share an address: looking for them, merging them, and taking merges apart again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json
from perigee.contacts.merging.types import DuplicateCounts, DuplicateGroup, Merge, MergeRun

_SHORTEST_LOOK, _LONGEST_LOOK = 0.2, 3.0


async def list_duplicates(
    transport: Transport, *, by: Literal["email", "phone"] = "email", limit: int | None = None
) -> list[DuplicateGroup]:
    """Groups of living contacts that share an email or a phone."""
    return await cursor_list(transport, "/api/v4/duplicates", DuplicateGroup, limit=limit, by=by)


async def count_duplicates(transport: Transport) -> DuplicateCounts:
    return await transport.call("GET", "/api/v4/duplicates/count", json(DuplicateCounts))


async def merge_contacts(
    transport: Transport,
    survivor_id: int,
    contact_id: int,
    *,
    prefer: Literal["newest", "survivor"] = "newest",
    take: Sequence[str] = (),
    forget_external_id: bool = False,
) -> Merge:
    """Merges `contact_id` into `survivor_id`. `take`: members that come from the merged contact in any case."""
    body = {
        "contact_id": contact_id,
        "prefer": prefer,
        "take": list(take),
        "forget_external_id": forget_external_id,
    }
    return await transport.call("POST", f"/api/v4/contacts/{survivor_id}/merge", json(Merge), body=body)


async def list_merges(
    transport: Transport, *, contact_id: int | None = None, limit: int | None = None
) -> list[Merge]:
    """Newest first; those in which a contact was the survivor or the merged one."""
    return await cursor_list(transport, "/api/v4/merges", Merge, limit=limit, contact_id=contact_id)


async def undo_merge(transport: Transport, merge_id: int) -> Merge:
    """Both contacts are there again, each with what was its."""
    return await transport.call("POST", f"/api/v4/merges/{merge_id}/undo", json(Merge))


async def merge_duplicates(
    transport: Transport,
    *,
    by: Literal["email", "phone"] = "email",
    keep: Literal["earlier", "later"] = "earlier",
) -> MergeRun:
    """Merges all of them in the background: `merge_run` says how far it is."""
    return await transport.call(
        "POST", "/api/v4/duplicates/merge", json(MergeRun), body={"by": by, "keep": keep}
    )


async def merge_run(transport: Transport, run_id: int) -> MergeRun:
    return await transport.call("GET", f"/api/v4/duplicates/merge/{run_id}", json(MergeRun))


async def cancel_merge_run(transport: Transport, run_id: int) -> MergeRun:
    return await transport.call("POST", f"/api/v4/duplicates/merge/{run_id}/cancel", json(MergeRun))


async def wait_for_merge_run(transport: Transport, run_id: int) -> MergeRun:
    """Returns when it has ended. Looks rarely, and ever more so."""
    pause = _SHORTEST_LOOK
    while (run := await merge_run(transport, run_id)).state in ("waiting", "running"):
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_LOOK)
    return run
