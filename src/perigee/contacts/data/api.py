"""/api/v4/contacts/{contact_id}/data."""

from __future__ import annotations

from perigee.contacts.data.read import person_data
from perigee.contacts.data.types import PersonData
from perigee.http.v4 import Call, operation


@operation("GET", "/contacts/{contact_id:int}/data", answer=PersonData)
async def export_person_data(call: Call) -> PersonData:
    """Export everything that is stored about a person."""
    async with call.context.database.transaction() as conn:
        await conn.execute("set transaction isolation level repeatable read, read only")
        return await person_data(conn, call.org_id, call.path["contact_id"], call.context.now())
