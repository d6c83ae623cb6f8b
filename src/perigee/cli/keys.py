"""`perigee keys …`: API keys of integrations."""

from __future__ import annotations

from typing import Literal

import cyclopts

from perigee.cli.remote import HERE, Server, connected, console, show_json, show_table

app = cyclopts.App(name="keys", help="API keys: make, list, switch off.")

Access = Literal["full", "events", "events_contacts", "events_contacts_write", "messages"]


@app.command(name="list")
def list_keys(*, server: Server = HERE) -> None:
    """List the keys, without the keys themselves."""
    with connected(server) as client:
        found = client.list_api_keys()
    if server.json:
        show_json(found)
        return
    rows = [
        [
            one.key_id,
            f"{one.hint}…",
            one.description,
            one.access,
            "on" if one.enabled else "off",
            one.last_used_at,
        ]
        for one in found
    ]
    show_table(["Id", "Key", "Description", "Access", "State", "Last used"], rows, empty="There are no keys.")


@app.command
def create(description: str, /, *, access: Access = "full", server: Server = HERE) -> None:
    """Make a key. It is shown this once.

    Parameters
    ----------
    description
        What it is for, to recognise it in the list.
    access
        The methods it opens.
    """
    with connected(server) as client:
        made = client.create_api_key(description, access=access)
    if server.json:
        show_json(made)
        return
    console.print(f"key {made.key_id} ({made.access}), shown this once:")
    print(made.key)


@app.command
def disable(key_id: int, /, *, server: Server = HERE) -> None:
    """Switch a key off; `enable` brings it back."""
    _switch(key_id, False, server)


@app.command
def enable(key_id: int, /, *, server: Server = HERE) -> None:
    """Switch a key on again."""
    _switch(key_id, True, server)


@app.command
def delete(key_id: int, /, *, server: Server = HERE) -> None:
    """Delete a key for good."""
    with connected(server) as client:
        client.delete_api_key(key_id)
    console.print(f"key {key_id} is deleted")


def _switch(key_id: int, enabled: bool, server: Server) -> None:
    with connected(server) as client:
        changed = client.enable_api_key(key_id, enabled=enabled)
    console.print(f"key {changed.key_id} is {'on' if changed.enabled else 'off'}")
