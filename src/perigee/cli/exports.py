"""`perigee exports …`: people, orders, events and more into CSV files, people into lists."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter
from cyclopts.types import PositiveInt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from perigee.cli.remote import HERE, Server, connected, console, show_facts, show_json, show_table
from perigee.client import Client
from perigee.errors import OperatorError
from perigee.exports.types import Export, ExportCreate, Kind, Recipients

app = cyclopts.App(name="exports", help="Exports: make one, watch it, save its file.")

Names = Annotated[list[str], Parameter(negative="", consume_multiple=True)]
Ids = Annotated[list[int], Parameter(negative="", consume_multiple=True)]
Outcome = Literal["sent", "failed", "dropped", "uncertain"]
Engaged = Literal["opened", "clicked", "unsubscribed", "complained"]
_LOOK_EVERY = 0.5
_UNDER_WAY = ("waiting", "running")


@app.command
def start(
    kind: Kind = "contacts",
    /,
    *,
    to: Path | None = None,
    columns: Names | None = None,
    segment: int | None = None,
    campaign: int | None = None,
    outcome: Outcome | None = None,
    engaged: Engaged | None = None,
    contact: int | None = None,
    status: str | None = None,
    event_type: str | None = None,
    first: datetime | None = None,
    until: datetime | None = None,
    lists: Ids | None = None,
    new_list: str | None = None,
    file: bool = True,
    raw: Annotated[bool, Parameter(negative="")] = False,
    server: Server = HERE,
) -> None:
    """Start an export.

    Parameters
    ----------
    kind
        contacts, orders, order_items, events, unsubscribed or recipients (of a campaign).
    to
        Wait for it and save the file here.
    columns
        Names of columns in their order; all without it. `--columns email` is the short form.
    segment
        Contacts: the people of this segment; everybody without it.
    campaign
        Recipients: of this campaign.
    outcome
        Recipients: only those with this outcome.
    engaged
        Recipients: only those who did this.
    contact
        Orders and events of this contact.
    status
        Orders of this status.
    event_type
        Events of this type, by its key.
    first
        Orders and events from this moment on (UTC).
    until
        Orders and events before this moment (UTC).
    lists
        Contacts: lists that they join.
    new_list
        Contacts: the name of a new list that they join.
    file
        Make a file; --no-file only fills lists.
    raw
        For programs: cells that a spreadsheet would take for formulas stay as they are.
    """
    if kind == "recipients" and campaign is None:
        raise OperatorError("recipients need --campaign")
    wanted = ExportCreate(
        kind=kind,
        segment_id=segment,
        recipients=None if campaign is None else Recipients(campaign, outcome, engaged),
        contact_id=contact,
        status=status,
        event_type=event_type,
        first=_utc(first),
        until=_utc(until),
        columns=columns,
        guarded=not raw,
        file=file,
        lists=lists or [],
        new_list=new_list,
    )
    make(wanted, to, server)


def make(wanted: ExportCreate, to: Path | None, server: Server) -> None:
    """Starts the export and, with a path, waits and saves."""
    with connected(server) as client:
        found = client.start_export(wanted)
        if to is not None:
            found = _watched(client, found.export_id)
            _save(client, found, to)
    _show(found, server)


@app.command(name="list")
def list_exports(*, limit: PositiveInt = 20, server: Server = HERE) -> None:
    """List exports, newest first.

    Parameters
    ----------
    limit
        The most to list.
    """
    with connected(server) as client:
        found = client.list_exports(limit=limit)
    if server.json:
        show_json(found)
        return
    rows = [[one.export_id, one.kind, one.state, one.done, one.created_at] for one in found]
    show_table(["Id", "Kind", "State", "Rows", "Asked for"], rows, empty="There are no exports.")


@app.command
def show(export_id: int, /, *, server: Server = HERE) -> None:
    """Show how far an export is, and the link to its file.

    Parameters
    ----------
    export_id
        As the list shows it.
    """
    with connected(server) as client:
        found = client.get_export(export_id)
    _show(found, server)


@app.command
def save(export_id: int, to: Path, /, *, server: Server = HERE) -> None:
    """Wait for an export and save its file.

    Parameters
    ----------
    export_id
        As the list shows it.
    to
        The file to write.
    """
    with connected(server) as client:
        found = _watched(client, export_id)
        _save(client, found, to)
    _show(found, server)


@app.command
def cancel(export_id: int, /, *, server: Server = HERE) -> None:
    """Cancel an export; who has joined a list stays there.

    Parameters
    ----------
    export_id
        As the list shows it.
    """
    with connected(server) as client:
        found = client.cancel_export(export_id)
    _show(found, server)


@app.command
def delete(export_id: int, /, *, server: Server = HERE) -> None:
    """Delete an export and its file; its link ends.

    Parameters
    ----------
    export_id
        As the list shows it.
    """
    with connected(server) as client:
        client.delete_export(export_id)
    console.print(f"Export {export_id} is deleted.")


def _watched(client: Client, export_id: int) -> Export:
    """Shows a bar until it is over."""
    columns: list[Any] = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f}/s"),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task("", total=None, rate=0.0)
        while True:
            found = client.get_export(export_id)
            bars.update(
                bar, description=found.state, total=found.total, completed=found.done, rate=found.rate or 0.0
            )
            if found.state not in _UNDER_WAY:
                return found
            time.sleep(_LOOK_EVERY)


def _save(client: Client, found: Export, to: Path) -> None:
    """Beside the path first, so that a file of that name is whole."""
    if found.state != "done":
        raise OperatorError(f"export {found.export_id} is {found.state}: {found.error or 'it has no file'}")
    part = to.with_name(to.name + ".part")
    try:
        with part.open("wb") as file:
            client.save_export(found.export_id, file)
        part.replace(to)
    except OSError as error:
        raise OperatorError(f"{to} cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


def _show(found: Export, server: Server) -> None:
    if server.json:
        show_json(found)
        return
    show_facts(
        {
            "Export": found.export_id,
            "Kind": found.kind,
            "State": found.state,
            "Rows": found.done,
            "Of": found.total,
            "Lists": ", ".join(map(str, found.lists)) or None,
            "New in lists": found.attached if found.lists else None,
            "Link": found.link,
            "Until": found.expires_at,
            "Error": found.error,
        }
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
