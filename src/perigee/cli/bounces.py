"""`perigee bounces …`: where providers of email report bounces and complaints to."""

from __future__ import annotations

import getpass
import secrets
from typing import Literal

import cyclopts

from perigee.bounces.types import IntakeCreate, MailboxCreate
from perigee.cli.remote import HERE, Server, connected, console, show_json, show_table

app = cyclopts.App(name="bounces", help="Bounces and complaints: where providers report them to.")

_ASKED = {
    "ses": "ARN of the SNS topic: ",
    "sendgrid": "Verification key: ",
    "mailgun": "HTTP webhook signing key: ",
}


@app.command(name="list")
def list_intakes(*, server: Server = HERE) -> None:
    """List the addresses that providers report to."""
    with connected(server) as client:
        found = client.list_webhook_intakes()
    if server.json:
        show_json(found)
        return
    rows = [[one.intake_id, one.service, one.url, one.called_at or "never"] for one in found]
    show_table(
        ["Id", "Service", "Address", "Last called"], rows, empty="No provider reports to us by webhook."
    )


@app.command
def add(service: Literal["ses", "sendgrid", "mailgun", "postmark"], /, *, server: Server = HERE) -> None:
    """Make an address for a provider's webhook. The key is asked for; for Postmark a password is made.

    Parameters
    ----------
    service
        Whose webhook it is.
    """
    key = secrets.token_hex(16) if service == "postmark" else getpass.getpass(_ASKED[service])
    with connected(server) as client:
        made = client.add_webhook_intake(IntakeCreate(service, key))
    if server.json:
        show_json(made)
        return
    url = made.url
    if service == "postmark":  # the password stands in the address, and is shown this once
        url = url.replace("://", f"://perigee:{key}@", 1)
    console.print(f"intake {made.intake_id}: have {service} call", soft_wrap=True)
    console.print(url, soft_wrap=True)


@app.command
def remove(intake_id: int, /, *, server: Server = HERE) -> None:
    """Remove an address; calls to it are refused.

    Parameters
    ----------
    intake_id
        As the list shows it.
    """
    with connected(server) as client:
        client.remove_webhook_intake(intake_id)
    if server.json:
        show_json({"removed": intake_id})
        return
    console.print(f"intake {intake_id} is removed")


@app.command
def add_mailbox(
    host: str,
    username: str,
    /,
    *,
    port: int = 993,
    security: Literal["tls", "starttls", "none"] = "tls",
    folder: str = "INBOX",
    server: Server = HERE,
) -> None:
    """Fetch bounces from an IMAP mailbox, and try it. The password is asked for.

    Parameters
    ----------
    host
        The IMAP server.
    username
        Login there.
    port
        993 for TLS, 143 for STARTTLS.
    security
        Encryption; none only for a server on this machine or a trusted network.
    folder
        Where bounces arrive.
    """
    wanted = MailboxCreate(host, username, getpass.getpass("Password: "), port, security, folder)
    with connected(server) as client:
        made = client.add_bounce_mailbox(wanted)
        client.test_bounce_mailbox(made.mailbox_id)
    if server.json:
        show_json(made)
        return
    console.print(f"mailbox {made.mailbox_id}: bounces are fetched from {username} at {host}")


@app.command
def mailboxes(*, server: Server = HERE) -> None:
    """List the mailboxes that bounces are fetched from, and how the last look went."""
    with connected(server) as client:
        found = client.list_bounce_mailboxes()
    if server.json:
        show_json(found)
        return
    rows = [
        [one.mailbox_id, one.host, one.username, one.folder, one.polled_at, one.error or ""] for one in found
    ]
    show_table(["Id", "Host", "Login", "Folder", "Last look", "Error"], rows, empty="There are no mailboxes.")


@app.command
def remove_mailbox(mailbox_id: int, /, *, server: Server = HERE) -> None:
    """Look into a mailbox no more.

    Parameters
    ----------
    mailbox_id
        As `mailboxes` shows it.
    """
    with connected(server) as client:
        client.remove_bounce_mailbox(mailbox_id)
    if server.json:
        show_json({"removed": mailbox_id})
        return
    console.print(f"mailbox {mailbox_id} is removed")
