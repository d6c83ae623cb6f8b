"""`perigee destinations …`: where email goes, how fast, and what receivers made of it."""

from __future__ import annotations

import cyclopts

from perigee.cli.remote import HERE, Server, connected, console, show_json, show_table

app = cyclopts.App(name="destinations", help="Destinations: limits and troubles of mailbox operators.")


@app.command(name="list")
def list_destinations(*, server: Server = HERE) -> None:
    """List destinations with a limit of your own, and those that are slowed or stopped because of replies."""
    with connected(server) as client:
        found = client.list_destinations()
    if server.json:
        show_json(found)
        return
    rows = [
        [
            one.name,
            one.provider_id or "",
            one.per_second or "",
            one.rate or "",
            ("until " + str(one.stopped_until) if one.stopped_until else "until lifted")
            if one.stopped
            else "",
            one.reason or "",
        ]
        for one in found
    ]
    headings = ["Destination", "Provider", "Limit a second", "Slowed to", "Stopped", "Why"]
    show_table(headings, rows, empty="No destination has a limit or trouble.")


@app.command
def limit(name: str, per_second: float, /, *, server: Server = HERE) -> None:
    """Set how many messages a second each provider may bring to a destination.

    Parameters
    ----------
    name
        The operator's first domain, such as gmail.com.
    per_second
        Messages a second; 0.1 is one in ten seconds.
    """
    with connected(server) as client:
        made = client.limit_destination(name, per_second)
    if server.json:
        show_json(made)
        return
    console.print(f"{made.name}: {made.per_second:g} messages a second")


@app.command
def lift(name: str, /, *, server: Server = HERE) -> None:
    """Take back a limit and lift what replies brought about: mail goes there again.

    Parameters
    ----------
    name
        As the list shows it.
    """
    with connected(server) as client:
        client.forget_destination(name)
    if server.json:
        show_json({"lifted": name})
        return
    console.print(f"mail goes to {name} again")
