"""Which contact is signed in, as the site names them (contract 22.7, in the order of 7.2)."""

from __future__ import annotations

from perigee.appinbox import store
from perigee.appinbox.types import WireIdentity
from perigee.contacts.clean import ID_LENGTH
from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.lib.addresses import normal_email, normal_phone
from perigee.lib.scalars import to_text


async def find(conn: Connection, org_id: int, who: WireIdentity) -> int | None:
    """The living contact, or None. Raises Invalid when no member names anybody.

    Something that cannot be an address is nobody's: a shop sends what its customer once typed as a phone, beside an
    email that is good.
    """
    external_id = to_text("externalCustomerId", who.external_customer_id, limit=ID_LENGTH) or to_text(
        "extid", who.extid, limit=ID_LENGTH
    )
    email, phone = to_text("email", who.email), to_text("phone", who.phone)
    if external_id is None and email is None and phone is None:
        raise Invalid("email, phone or externalCustomerId: at least one is required", field="email")
    return await store.find_contact(
        conn,
        org_id,
        external_id=external_id,
        email=None if email is None else normal_email(email),
        phone=None if phone is None else normal_phone(phone),
    )
