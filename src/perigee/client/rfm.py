"""The RFM grids: who bought or opened mails, how recently and how often."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json
from perigee.rfm.cells import Grid
from perigee.rfm.types import RfmContact, RfmExport, RfmExported, RfmGrid, RfmGridUpdate, RfmMove, RfmMoveRule


async def rfm_grid(
    transport: Transport, grid: Grid, *, segment_id: int | None = None, sent_days: int | None = None
) -> RfmGrid:
    """How many contacts stand in each cell; of one segment, or who were sent a message in the last days."""
    query = {"segment_id": segment_id, "sent_days": sent_days}
    return await transport.call("GET", f"/api/v4/rfm/{grid}", json(RfmGrid), query=query)


async def change_rfm_grid(
    transport: Transport,
    grid: Grid,
    *,
    raise_events: bool | None = None,
    moves: Sequence[RfmMoveRule] | None = None,
) -> RfmGrid:
    """Whether contacts that move raise an event, and for which moves (none named: all). None stays."""
    wanted = RfmGridUpdate(raise_events, None if moves is None else list(moves))
    return await transport.call("PATCH", f"/api/v4/rfm/{grid}", json(RfmGrid), body=wanted)


async def rfm_contacts(
    transport: Transport, grid: Grid, recency: int, frequency: int, *, limit: int | None = None
) -> list[RfmContact]:
    """The contacts of a cell, by id."""
    path = f"/api/v4/rfm/{grid}/cells/{recency}/{frequency}/contacts"
    return await cursor_list(transport, path, RfmContact, limit=limit)


async def export_rfm_cell(
    transport: Transport, grid: Grid, recency: int, frequency: int, segment_id: int
) -> int:
    """Puts the contacts of a cell on a list; how many are new on it."""
    path = f"/api/v4/rfm/{grid}/cells/{recency}/{frequency}/export"
    done = await transport.call("POST", path, json(RfmExported), body=RfmExport(segment_id), repeatable=True)
    return done.attached


async def rfm_moves(
    transport: Transport, grid: Grid, *, contact_id: int | None = None, limit: int | None = None
) -> list[RfmMove]:
    """Moves from one cell to another, newest first."""
    return await cursor_list(
        transport, f"/api/v4/rfm/{grid}/moves", RfmMove, limit=limit, contact_id=contact_id
    )
