"""`perigee sandbox …`: what the sandbox provider kept instead of sending it."""

from __future__ import annotations

from typing import Annotated

import cyclopts
from cyclopts import Parameter
from cyclopts.types import PositiveInt

from perigee.cli.remote import HERE, Server, connected, console, printable, show_facts, show_json, show_table

app = cyclopts.App(name="sandbox", help="The sandbox: messages that were kept instead of sent.")


@app.command(name="list")
def list_messages(
    *,
    channel: str | None = None,
    address: str | None = None,
    limit: PositiveInt = 20,
    server: Server = HERE,
) -> None:
    """List messages, newest first.

    Parameters
    ----------
    channel
        Only those of this channel: email, sms …
    address
        Only those to this address.
    limit
        The most to list.
    """
    with connected(server) as client:
        found = client.list_sandbox(channel=channel, address=address, limit=limit)
    if server.json:
        show_json(found)
        return
    rows = [[one.sandbox_id, one.sent_at, one.channel, one.address, one.headline] for one in found]
    show_table(["Id", "Sent", "Channel", "To", "Message"], rows, empty="The sandbox is empty.")


@app.command
def show(
    sandbox_id: int,
    /,
    *,
    html: Annotated[bool, Parameter(negative="")] = False,
    headers: Annotated[bool, Parameter(negative="")] = False,
    server: Server = HERE,
) -> None:
    """Show one message: its text, or the HTML part of an email.

    Parameters
    ----------
    sandbox_id
        Its number in the list.
    html
        The HTML part instead of the text.
    headers
        All headers of an email too.
    """
    with connected(server) as client:
        letter = client.get_sandbox_message(sandbox_id)
    if server.json:
        show_json(letter)
        return
    if html:
        print(printable(letter.html))
        return
    show_facts(
        {
            "From": letter.sender,
            "To": letter.address,
            "Sent": letter.sent_at,
            "Subject": letter.headline if letter.channel == "email" else None,
            **(dict(letter.headers) if headers else {}),
        }
    )
    console.print()
    print(printable(letter.text))
