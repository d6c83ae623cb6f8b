"""`perigee rfm …`: the grids of sales and of mails."""

from __future__ import annotations

from typing import Literal

import cyclopts

from perigee.cli.remote import HERE, Server, connected, console, people, show_json, show_table
from perigee.rfm.cells import Grid
from perigee.rfm.types import RfmSpan

app = cyclopts.App(name="rfm", help="Who bought or opened mails, how recently and how often.")


@app.command
def show(
    grid: Grid, /, *, segment_id: int | None = None, sent_days: int | None = None, server: Server = HERE
) -> None:
    """Show how many contacts stand in each cell.

    Parameters
    ----------
    grid
        sales (delivered orders) or mail (opened mails).
    segment_id
        Only contacts of this segment.
    sent_days
        Only contacts who were sent a message in the last so many days.
    """
    with connected(server) as client:
        found = client.rfm_grid(grid, segment_id=segment_id, sent_days=sent_days)
    if server.json:
        show_json(found)
        return
    counts = {(cell.recency, cell.frequency): cell.contacts for cell in found.cells}
    rows = [
        [
            f"{row.number}: {_span(row, 'x')}",
            *(counts[column.number, row.number] for column in found.recency),
        ]
        for row in reversed(found.frequency)
    ]
    heads = [f"{column.number}: {_span(column, 'd')}" for column in found.recency]
    show_table(["days since, times", *heads], rows, empty="")
    console.print(f"{people(found.contacts)} on {found.day}")


def _span(span: RfmSpan, unit: str) -> str:
    if span.last is None:
        return f"{span.first}+ {unit}"
    return f"{span.first} {unit}" if span.first == span.last else f"{span.first}-{span.last} {unit}"


@app.command
def contacts(grid: Grid, recency: int, frequency: int, /, *, limit: int = 50, server: Server = HERE) -> None:
    """List the contacts of a cell.

    Parameters
    ----------
    grid
        sales or mail.
    recency
        Number of the column; 1 is the latest.
    frequency
        Number of the row; 1 is once.
    limit
        The most that are shown.
    """
    with connected(server) as client:
        found = client.rfm_contacts(grid, recency, frequency, limit=limit)
    if server.json:
        show_json(found)
        return
    rows = [
        [one.contact_id, one.external_id, one.email, one.phone, one.times, str(one.total), one.last_at]
        for one in found
    ]
    heads = ["Id", "External id", "Email", "Phone", "Times", "Total", "Last"]
    show_table(heads, rows, empty="Nobody is in this cell.")


@app.command
def attach(grid: Grid, recency: int, frequency: int, segment_id: int, /, *, server: Server = HERE) -> None:
    """Put the contacts of a cell on a list.

    Parameters
    ----------
    grid
        sales or mail.
    recency
        Number of the column; 1 is the latest.
    frequency
        Number of the row; 1 is once.
    segment_id
        The list's id.
    """
    with connected(server) as client:
        added = client.export_rfm_cell(grid, recency, frequency, segment_id)
    if server.json:
        show_json({"segment_id": segment_id, "attached": added})
    else:
        console.print(f"{people(added)} new on the list")


@app.command
def events(grid: Grid, switch: Literal["on", "off"], /, *, server: Server = HERE) -> None:
    """Raise an event for each contact that goes from one cell to another, or stop that.

    Parameters
    ----------
    grid
        sales or mail.
    switch
        on or off.
    """
    with connected(server) as client:
        found = client.change_rfm_grid(grid, raise_events=switch == "on")
    if server.json:
        show_json(found)
    else:
        console.print(f"moves in the grid {grid} raise {'events' if found.raise_events else 'no events'}")


@app.command
def moves(grid: Grid, /, *, contact_id: int | None = None, limit: int = 50, server: Server = HERE) -> None:
    """List moves from one cell to another, newest first.

    Parameters
    ----------
    grid
        sales or mail.
    contact_id
        Only those of one contact.
    limit
        The most that are shown.
    """
    with connected(server) as client:
        found = client.rfm_moves(grid, contact_id=contact_id, limit=limit)
    if server.json:
        show_json(found)
        return
    rows = [
        [
            one.at,
            one.contact_id,
            f"{one.from_recency},{one.from_frequency}",
            f"{one.to_recency},{one.to_frequency}",
        ]
        for one in found
    ]
    show_table(["When", "Contact", "From", "To"], rows, empty="Nobody has moved.")
