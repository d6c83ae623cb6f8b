"""/api/v4/webhook-intakes: where providers of email report bounces and complaints to."""

from __future__ import annotations

from perigee.bounces import intakes
from perigee.bounces.types import Intake, IntakeCreate
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
