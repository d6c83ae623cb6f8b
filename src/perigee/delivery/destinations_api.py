"""/api/v4/destinations: where email goes, how fast, and what receivers made of it."""

from __future__ import annotations

from perigee.delivery import destinations
from perigee.delivery.destinations import Destination
from perigee.delivery.types import DestinationLimit
from perigee.http.v4 import Call, Created, Page, operation
from perigee.lib.text import clean


@operation("GET", "/destinations", answer=Page[Destination])
async def list_destinations(call: Call) -> Page:
    """List destinations with a limit of your own, and those that are slowed or stopped because of replies."""
    async with call.context.database.connection() as connection:
        return Page(await destinations.list_destinations(connection, call.org_id))


@operation(
    "POST",
    "/destinations",
    body=DestinationLimit,
    answer=DestinationLimit,
    example={"name": "ukr.net", "per_second": 5},
)
async def limit_destination(call: Call) -> Created:
    """Set how many messages a second each provider may bring to a destination, instead of what the installation says."""
    wanted = await call.json(DestinationLimit)
    wanted.name = clean(wanted.name).lower()
    async with call.context.database.transaction() as connection:
        await destinations.limit(connection, call.org_id, wanted.name, wanted.per_second)
    return Created(wanted)


@operation("DELETE", "/destinations/{destination:str}")
async def forget_destination(call: Call) -> None:
    """Take back a limit and lift what replies brought about: mail goes there again."""
    async with call.context.database.transaction() as connection:
        await destinations.forget(connection, call.org_id, call.path["destination"])
