"""`perigee events …`: what contacts did, and what was refused."""

from __future__ import annotations

import cyclopts

from perigee.cli.remote import HERE, Server, connected, console, show_json, show_table

app = cyclopts.App(name="events", help="What people did: types, history, refused events.")


@app.command
def types(*, server: Server = HERE) -> None:
    """List the types of events with their figures of the last 30 days."""
    with connected(server) as client:
        found = client.event_figures()
    if server.json:
        show_json(found)
        return
    rows = [
        [
            one.event_type_id,
            one.key,
            one.total,
            one.contact_not_found,
            one.refused,
            f"{one.previous_7_days} → {one.last_7_days}" + (" falling" if one.falling else ""),
        ]
        for one in found
    ]
    heads = ["Id", "Key", "Total", "Contact not found", "Refused", "Week to week"]
    show_table(heads, rows, empty="No event has come yet.")


@app.command
def history(
    *,
    type_id: int | None = None,
    contact_id: int | None = None,
    start: str | None = None,
    end: str | None = None,
    limit: int = 50,
    server: Server = HERE,
) -> None:
    """List events, newest first.

    Parameters
    ----------
    type_id
        Only of this type.
    contact_id
        Only of this contact.
    start
        First moment, like 2026-03-01; without it the last 30 days.
    end
        The moment it ends before.
    limit
        The most that are shown.
    """
    with connected(server) as client:
        found = client.list_events(
            event_type_id=type_id, contact_id=contact_id, start=start, end=end, limit=limit
        )
    if server.json:
        show_json(found)
        return
    rows = [[one.occurred_at, one.type_key, one.event_key, one.contact_id, one.source] for one in found]
    show_table(["When", "Type", "Key", "Contact", "Source"], rows, empty="Nothing happened.")


@app.command
def errors(*, type_id: int | None = None, limit: int = 50, server: Server = HERE) -> None:
    """List events that were refused, newest first.

    Parameters
    ----------
    type_id
        Only of this type.
    limit
        The most that are shown.
    """
    with connected(server) as client:
        found = client.list_event_errors(event_type_id=type_id, limit=limit)
    if server.json:
        show_json(found)
        return
    rows = [[one.at, one.type_key, one.event_key, one.reason] for one in found]
    show_table(["When", "Type", "Key", "Reason"], rows, empty="No event was refused.")


@app.command
def delete_type(type_id: int, /, *, server: Server = HERE) -> None:
    """Delete a type with its history.

    Parameters
    ----------
    type_id
        Which.
    """
    with connected(server) as client:
        client.delete_event_type(type_id)
    console.print(f"Event type {type_id} is deleted; its history goes in the background.")
