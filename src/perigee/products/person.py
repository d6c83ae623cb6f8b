"""For whom recommendations are asked: one of the identifiers of contract 11.5, the surest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import Invalid
from perigee.events.people import find
from perigee.events.types import Identity
from perigee.lib.addresses import normal_email, normal_phone
from perigee.lib.scalars import to_id, to_text

q = load(__package__)

MEMBERS = ("contactId", "email", "phone", "externalCustomerId", "webId")
LONGEST = 300


class Who(NamedTuple):
    """`web_id`: the visitor's cookie."""

    identity: Identity
    web_id: str | None


def read(query: Mapping[str, Any]) -> Who:
    """Raises Invalid: none is given, or one of them is malformed. An address that is none names nobody. Pure."""
    given = {name: to_text(name, query.get(name), limit=LONGEST) for name in MEMBERS}
    if not any(given.values()):
        raise Invalid(f"one of {', '.join(MEMBERS)} is required", field="contactId")
    email, phone = given["email"], given["phone"]
    identity = Identity(
        contact_id=to_id("contactId", given["contactId"]),
        external_id=given["externalCustomerId"],
        email=email and normal_email(email),
        phone=phone and normal_phone(phone),
    )
    return Who(identity, given["webId"])


async def contact_of(conn: Connection, org_id: int, who: Who) -> int | None:
    """The contact; None for somebody we do not know."""
    (person,) = await find(conn, org_id, [who.identity], narrow=False)
    if person is not None or who.web_id is None:
        return None if person is None else person.contact_id
    values = {"org_id": org_id, "visitor_id": who.web_id}
    row = await (await conn.execute(q.contact_of_visitor, values)).fetchone()
    return None if row is None else int(row[0])
