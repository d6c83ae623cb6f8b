"""Where bounces and complaints come in: providers' webhooks and IMAP mailboxes."""

from __future__ import annotations

from perigee.bounces.types import Intake, IntakeCreate, Mailbox, MailboxCreate
from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json, nothing


async def add_webhook_intake(transport: Transport, wanted: IntakeCreate) -> Intake:
    """`url` of the answer is what the service is told to call."""
    return await transport.call("POST", "/api/v4/webhook-intakes", json(Intake), body=wanted)


async def list_webhook_intakes(transport: Transport) -> list[Intake]:
    """In the order they were made."""
    return await cursor_list(transport, "/api/v4/webhook-intakes", Intake)


async def remove_webhook_intake(transport: Transport, intake_id: int) -> None:
    """Calls to its address are refused from now on."""
    await transport.call("DELETE", f"/api/v4/webhook-intakes/{intake_id}", nothing)


async def add_bounce_mailbox(transport: Transport, wanted: MailboxCreate) -> Mailbox:
    """It is looked into every minute."""
    return await transport.call("POST", "/api/v4/bounce-mailboxes", json(Mailbox), body=wanted)


async def list_bounce_mailboxes(transport: Transport) -> list[Mailbox]:
    """In the order they were made."""
    return await cursor_list(transport, "/api/v4/bounce-mailboxes", Mailbox)


async def test_bounce_mailbox(transport: Transport, mailbox_id: int) -> None:
    """Refused with the server's words when the mailbox cannot be read."""
    await transport.call("POST", f"/api/v4/bounce-mailboxes/{mailbox_id}/test", nothing)


async def remove_bounce_mailbox(transport: Transport, mailbox_id: int) -> None:
    """It is looked into no more."""
    await transport.call("DELETE", f"/api/v4/bounce-mailboxes/{mailbox_id}", nothing)
