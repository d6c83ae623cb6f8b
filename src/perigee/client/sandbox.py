"""What the sandbox provider kept instead of sending it."""

from __future__ import annotations

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json
from perigee.delivery.channels.sandbox.types import SandboxLetter, SandboxMessage


async def list_sandbox(
    transport: Transport,
    *,
    channel: str | None = None,
    address: str | None = None,
    send_id: int | None = None,
    limit: int | None = None,
) -> list[SandboxMessage]:
    """Newest first; `send_id` is that of a launched campaign."""
    return await cursor_list(
        transport,
        "/api/v4/sandbox",
        SandboxMessage,
        limit=limit,
        channel=channel,
        address=address,
        send_id=send_id,
    )


async def get_sandbox_message(transport: Transport, sandbox_id: int) -> SandboxLetter:
    return await transport.call("GET", f"/api/v4/sandbox/{sandbox_id}", json(SandboxLetter))
