"""`perigee consent …`: why people left, and what they agreed to."""

from __future__ import annotations

import cyclopts

from perigee.cli.remote import HERE, Server, connected, show_json, show_table

app = cyclopts.App(name="consent", help="Why people left, and what they agreed to.")


@app.command
def reasons(*, limit: int = 50, server: Server = HERE) -> None:
    """Show what people said on leaving, newest first.

    Parameters
    ----------
    limit
        The most that are shown.
    """
    with connected(server) as client:
        found = client.unsubscribe_reasons(limit=limit)
    if server.json:
        show_json(found)
        return
    rows = [
        [f"{one.at:%Y-%m-%d %H:%M}", one.value, one.reason, one.comment, one.message_name] for one in found
    ]
    show_table(["When", "Address", "Reason", "Comment", "Message"], rows, empty="Nobody gave a reason.")


@app.command
def history(contact_id: int, /, *, limit: int = 50, server: Server = HERE) -> None:
    """Show every change of a person's consent, newest first; with --json its proof too.

    Parameters
    ----------
    contact_id
        The contact's id.
    limit
        The most that are shown.
    """
    with connected(server) as client:
        found = client.consent_history(contact_id, limit=limit)
    if server.json:
        show_json(found)
        return
    rows = [[f"{one.at:%Y-%m-%d %H:%M}", one.kind, one.value, one.action, one.source] for one in found]
    show_table(["When", "Kind", "Value", "What", "Where"], rows, empty="Nothing is known of this contact.")
