"""/api/v4/webhook-intakes and /api/v4/bounce-mailboxes: where bounces and complaints come in."""

from __future__ import annotations

from perigee.bounces import intakes, mailboxes
from perigee.bounces.types import Intake, IntakeCreate, Mailbox, MailboxCreate
from perigee.http.v4 import Call, Created, Page, operation


@operation(
    "POST",
    "/webhook-intakes",
    body=IntakeCreate,
    answer=Intake,
    example={"service": "mailgun", "key": "a-signing-key-of-mailgun-0123456789"},
)
async def create_webhook_intake(call: Call) -> Created:
    """Make an address for a provider's reports of bounces, complaints and unsubscribes."""
    wanted = await call.json(IntakeCreate)
    context = call.context
    async with context.database.transaction() as connection:
        return Created(
            await intakes.create(connection, context.keys, context.settings.public_url, call.org_id, wanted)
        )


@operation("GET", "/webhook-intakes", answer=Page[Intake])
async def list_webhook_intakes(call: Call) -> Page[Intake]:
    """List the addresses that providers report to, and when each was last called."""
    context = call.context
    async with context.database.connection() as connection:
        return Page(
            await intakes.list_all(connection, context.keys, context.settings.public_url, call.org_id)
        )


@operation("DELETE", "/webhook-intakes/{intake_id:int}")
async def remove_webhook_intake(call: Call) -> None:
    """Remove an address: calls to it are refused from now on."""
    async with call.context.database.transaction() as connection:
        await intakes.remove(connection, call.org_id, call.path["intake_id"])


@operation(
    "POST",
    "/bounce-mailboxes",
    body=MailboxCreate,
    answer=Mailbox,
    example={"host": "imap.example.com", "username": "bounces@example.com", "password": "secret"},
)
async def create_bounce_mailbox(call: Call) -> Created:
    """Fetch bounces and complaints from an IMAP mailbox from now on."""
    wanted = await call.json(MailboxCreate)
    async with call.context.database.transaction() as connection:
        return Created(await mailboxes.create(connection, call.context.keys, call.org_id, wanted))


@operation("GET", "/bounce-mailboxes", answer=Page[Mailbox])
async def list_bounce_mailboxes(call: Call) -> Page[Mailbox]:
    """List the mailboxes that bounces are fetched from, and how the last look went."""
    async with call.context.database.connection() as connection:
        return Page(await mailboxes.list_all(connection, call.org_id))


@operation("POST", "/bounce-mailboxes/{mailbox_id:int}/test", refusals=(409,))
async def test_bounce_mailbox(call: Call) -> None:
    """Sign in to a mailbox and open its folder; nothing is fetched."""
    await mailboxes.test(call.context.database, call.context.keys, call.org_id, call.path["mailbox_id"])


@operation("DELETE", "/bounce-mailboxes/{mailbox_id:int}")
async def remove_bounce_mailbox(call: Call) -> None:
    """Look into a mailbox no more."""
    async with call.context.database.transaction() as connection:
        await mailboxes.remove(connection, call.org_id, call.path["mailbox_id"])
