"""`perigee senders …`: who messages may come from."""

from __future__ import annotations

import cyclopts

from perigee.cli.remote import HERE, Server, connected, console, show_json, show_table
from perigee.senders.types import SenderChannel

app = cyclopts.App(name="senders", help="Who messages may come from.")


@app.command(name="list")
def list_senders(*, server: Server = HERE) -> None:
    """List the senders."""
    with connected(server) as client:
        found = client.list_senders()
    if server.json:
        show_json(found)
        return
    rows = [[one.sender_id, one.channel, one.value] for one in found]
    show_table(["Id", "Channel", "Sender"], rows, empty="There are no senders: any may be used.")


@app.command
def add(channel: SenderChannel, value: str, /, *, server: Server = HERE) -> None:
    """Add a sender. Once a channel has one, its messages must come from one of them.

    Parameters
    ----------
    channel
        email, sms or viber.
    value
        "Name" <address> for email; for SMS up to 11 letters and digits, or a number.
    """
    with connected(server) as client:
        made = client.add_sender(channel, value)
    if server.json:
        show_json(made)
        return
    console.print(f"sender {made.sender_id}: {made.value}", markup=False)


@app.command
def remove(sender_id: int, /, *, server: Server = HERE) -> None:
    """Remove a sender. Messages that name it stay.

    Parameters
    ----------
    sender_id
        Its id in the list.
    """
    with connected(server) as client:
        client.delete_sender(sender_id)
    if not server.json:
        console.print(f"sender {sender_id} is removed")
