"""`perigee rules …`: when, how often and to whom the organisation sends."""

from __future__ import annotations

from pathlib import Path

import cyclopts

from perigee.cli.remote import HERE, Server, connected, read_json, read_text, show_json
from perigee.delivery.rules import SendingRules

app = cyclopts.App(name="rules", help="Rules for sending: hours, caps, credits, strategy, approval.")


@app.command
def show(*, server: Server = HERE) -> None:
    """Show the rules, as JSON."""
    with connected(server) as client:
        show_json(client.sending_rules())


@app.command
def put(file: Path, /, *, server: Server = HERE) -> None:
    """Replace all rules by those of a JSON file.

    Parameters
    ----------
    file
        As `perigee rules show` prints them; - reads standard input.
    """
    wanted = read_json(str(file), read_text(file), SendingRules)
    with connected(server) as client:
        show_json(client.put_sending_rules(wanted))
