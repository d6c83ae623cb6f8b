"""Where email goes, how fast, and what receivers made of it."""

from __future__ import annotations

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json, nothing
from perigee.delivery.destinations import Destination
from perigee.delivery.types import DestinationLimit


async def list_destinations(transport: Transport) -> list[Destination]:
    """Those with a limit of the organisation's, and those that are slowed or stopped."""
    return await cursor_list(transport, "/api/v4/destinations", Destination)


async def limit_destination(transport: Transport, name: str, per_second: float) -> DestinationLimit:
    """Messages a second that each provider may bring there."""
    wanted = DestinationLimit(name=name, per_second=per_second)
    return await transport.call("POST", "/api/v4/destinations", json(DestinationLimit), body=wanted)


async def forget_destination(transport: Transport, name: str) -> None:
    """Takes back the limit and lifts what replies brought about."""
    await transport.call("DELETE", f"/api/v4/destinations/{name}", nothing)
