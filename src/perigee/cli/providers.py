"""`perigee providers …`: what messages are sent through."""

from __future__ import annotations

import getpass
from typing import Any, Literal

import cyclopts

from perigee.cli.remote import HERE, Server, connected, console, show_json, show_table

app = cyclopts.App(name="providers", help="Providers: the relays that messages are sent through.")


@app.command(name="list")
def list_providers(*, server: Server = HERE) -> None:
    """List the providers; of each channel the first one is used."""
    with connected(server) as client:
        found = client.list_providers()
    if server.json:
        show_json(found)
        return
    rows = [[one.provider_id, one.channel, one.kind, one.name, one.priority] for one in found]
    show_table(["Id", "Channel", "Kind", "Name", "Priority"], rows, empty="There are no providers.")


@app.command
def add_smtp(
    host: str,
    /,
    *,
    port: int = 587,
    security: Literal["starttls", "tls", "none"] = "starttls",
    username: str = "",
    name: str = "SMTP",
    priority: int = 100,
    server: Server = HERE,
) -> None:
    """Send email through an SMTP relay from now on. The password is asked for, never given on the command line.

    Parameters
    ----------
    host
        Name or address of the relay.
    port
        587 for STARTTLS, 465 for TLS.
    security
        Encryption; none only for a relay on this machine or a trusted network.
    username
        Login at the relay; without one there is no sign-in.
    name
        How the list shows it.
    priority
        The lowest of a channel is used.
    """
    settings: dict[str, Any] = {"host": host, "port": port, "security": security}
    if username:
        settings |= {"username": username, "password": getpass.getpass("Password: ")}
    with connected(server) as client:
        made = client.add_provider("email", "smtp", name, settings, priority=priority)
    if server.json:
        show_json(made)
        return
    console.print(f"provider {made.provider_id}: email goes through {host}:{port}")
