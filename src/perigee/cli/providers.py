"""`perigee providers …`: what messages are sent through."""

from __future__ import annotations

import getpass
from typing import Any, Literal

import cyclopts

from perigee.cli.remote import HERE, Server, connected, console, show_json, show_table
from perigee.delivery.types import ProviderUpdate

app = cyclopts.App(name="providers", help="Providers: the relays that messages are sent through.")


@app.command(name="list")
def list_providers(*, server: Server = HERE) -> None:
    """List the providers; of each channel the first enabled one is used."""
    with connected(server) as client:
        found = client.list_providers()
    if server.json:
        show_json(found)
        return
    rows = [
        [one.provider_id, one.channel, one.kind, one.name, one.priority, _state(one.enabled)] for one in found
    ]
    show_table(["Id", "Channel", "Kind", "Name", "Priority", "State"], rows, empty="There are no providers.")


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


@app.command
def enable(provider_id: int, /, *, server: Server = HERE) -> None:
    """Let new sends choose a provider again.

    Parameters
    ----------
    provider_id
        As the list shows it.
    """
    _switch(provider_id, True, server)


@app.command
def disable(provider_id: int, /, *, server: Server = HERE) -> None:
    """Let no new send choose a provider. What goes through it already goes on.

    Parameters
    ----------
    provider_id
        As the list shows it.
    """
    _switch(provider_id, False, server)


@app.command
def remove(provider_id: int, /, *, server: Server = HERE) -> None:
    """Remove a provider, its password too. Refused while a send that is not finished goes through it.

    Parameters
    ----------
    provider_id
        As the list shows it.
    """
    with connected(server) as client:
        client.remove_provider(provider_id)
    if server.json:
        show_json({"removed": provider_id})
        return
    console.print(f"provider {provider_id} is removed")


def _switch(provider_id: int, enabled: bool, server: Server) -> None:
    with connected(server) as client:
        changed = client.change_provider(provider_id, ProviderUpdate(enabled=enabled))
    if server.json:
        show_json(changed)
        return
    console.print(f"provider {provider_id} ({changed.name}) is {_state(changed.enabled)}")


def _state(enabled: bool) -> str:
    return "enabled" if enabled else "disabled"
