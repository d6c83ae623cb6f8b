"""Where providers of email report bounces and complaints to."""

from __future__ import annotations

from perigee.bounces.types import Intake, IntakeCreate
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
