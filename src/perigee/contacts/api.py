"""/api/v4/contacts and /api/v4/fields."""

from __future__ import annotations

import msgspec

from perigee.contacts import delete, fields, read, read_store
from perigee.contacts.fields import NewField
from perigee.contacts.read_store import Filters
from perigee.contacts.resource import ContactResource, ContactWrite, clean_write, resources
from perigee.contacts.rows import CLEAR
from perigee.contacts.single import add_or_update, update_by_id
from perigee.errors import Invalid
from perigee.http.v4 import PAGE, Call, Created, Page, Query, Right, cursor_page, operation
from perigee.lib.addresses import normal_email, normal_phone
from perigee.lib.scalars import to_bool, to_text


@operation(
    "GET",
    "/contacts",
    right=Right.CONTACT_READ,
    answer=Page[ContactResource],
    query=(
        Query("external_id", str, "exactly this external id"),
        Query("email", str, "exactly this email"),
        Query("phone", str, "exactly this phone"),
        *PAGE,
    ),
)
async def list_contacts(call: Call) -> Page:
    """List contacts by id; `external_id`, `email` and `phone` find the ones that have exactly these."""
    after, limit = cursor_page(call)
    email, phone = (to_text(name, call.query.get(name)) for name in ("email", "phone"))
    filters = Filters(
        external_id=to_text("external_id", call.query.get("external_id")),
        email=email and (normal_email(email) or email),
        phone=phone and (normal_phone(phone) or phone),
    )
    async with call.context.database.connection() as conn:
        if any(filters):
            ids = await read_store.find_after(conn, call.org_id, filters, after=after, rows=limit + 1)
        else:
            ids = await read.ids_after(conn, call.org_id, after, limit + 1)
        found = Page(await resources(conn, call.org_id, ids[:limit]))
    if len(ids) > limit:
        found.next = str(ids[limit - 1])
    return found


@operation(
    "POST",
    "/contacts",
    right=Right.CONTACT_UPDATE,
    body=ContactWrite,
    answer=ContactResource,
    example={
        "external_id": "CRM-1001",
        "email": "anna@example.com",
        "first_name": "Anna",
        "lists": ["Customers"],
    },
)
async def put_contact(call: Call) -> Created | ContactResource:
    """Add a contact, or update the one with this external id, email or phone; 201 when it is new."""
    row = clean_write(await call.json(ContactWrite))
    if not any(value and value != CLEAR for value in (row.external_id, row.email, row.phone)):
        raise Invalid("external_id, email or phone: one of them is required", field="email")
    done = await call.context.group_commit(add_or_update).submit(call.org_id, row)
    found = await _one(call, done.contact_id)
    return Created(found) if done.action == "created" else found


@operation("GET", "/contacts/{contact_id:int}", right=Right.CONTACT_READ, answer=ContactResource)
async def read_contact(call: Call) -> ContactResource:
    """Read a contact."""
    return await _one(call, _path_id(call))


@operation(
    "PATCH",
    "/contacts/{contact_id:int}",
    right=Right.CONTACT_UPDATE,
    body=ContactWrite,
    answer=ContactResource,
    example={"last_name": "Koval", "phone": None},
)
async def change_contact(call: Call) -> ContactResource:
    """Change a contact: what is not named stays, null takes a value away. A deleted contact is restored."""
    contact_id = _path_id(call)
    row = clean_write(await call.json(ContactWrite), contact_id)
    await call.context.group_commit(update_by_id).submit(call.org_id, row)
    return await _one(call, contact_id)


@operation(
    "DELETE",
    "/contacts/{contact_id:int}",
    right=Right.CONTACT_UPDATE,
    query=(
        Query("erase", bool, "remove everything about the contact for good", default=False),
        Query("reason", str, "why, for people to read; up to 500 characters"),
    ),
)
async def remove_contact(call: Call) -> None:
    """Delete a contact, so that it can be restored; `erase=true` removes everything about it for good."""
    erase = to_bool("erase", call.query.get("erase")) or False
    reason = to_text("reason", call.query.get("reason"))
    async with call.context.database.transaction() as conn:
        await delete.delete(conn, call.org_id, _path_id(call), erase=erase, reason=reason)


async def _one(call: Call, contact_id: int) -> ContactResource:
    async with call.context.database.connection() as conn:
        found = await resources(conn, call.org_id, [contact_id])
    if not found:
        raise read.not_found(contact_id)
    return found[0]


def _path_id(call: Call) -> int:
    number = int(call.path["contact_id"])
    if not 0 < number < 2**63:
        raise read.not_found(number)
    return number


class FieldGroups(msgspec.Struct):
    groups: list[fields.GroupResource]


@operation("GET", "/fields", right=Right.CONTACT_READ, answer=FieldGroups)
async def list_fields(call: Call) -> FieldGroups:
    """All additional fields in their groups."""
    async with call.context.database.connection() as conn:
        return FieldGroups(await fields.group_resources(conn, call.org_id))


class GroupCreate(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class GroupCreated(msgspec.Struct):
    group_id: int


@operation(
    "POST",
    "/fields/groups",
    body=GroupCreate,
    answer=GroupCreated,
    example={"name": "Personal"},
    refusals=(409,),
)
async def create_field_group(call: Call) -> Created:
    """Create a group of additional fields."""
    given = await call.json(GroupCreate)
    async with call.context.database.transaction() as conn:
        return Created(GroupCreated(await fields.create_group(conn, call.org_id, given.name)))


class FieldCreate(msgspec.Struct, forbid_unknown_fields=True):
    """`choices` are for combobox and checkboxlist, `min` and `max` for number and decimal."""

    group_id: int
    name: str
    type: str
    key: str = ""
    choices: list[str] = []
    min: int | None = None
    max: int | None = None


class FieldCreated(msgspec.Struct):
    field_id: int


@operation(
    "POST",
    "/fields",
    body=FieldCreate,
    answer=FieldCreated,
    example={"group_id": 1, "name": "Level", "type": "combobox", "choices": ["gold", "silver"]},
    refusals=(404, 409),
)
async def create_field(call: Call) -> Created:
    """Create an additional field."""
    given = await call.json(FieldCreate)
    field = NewField(given.name, given.key, given.type, tuple(given.choices), given.min, given.max)
    async with call.context.database.transaction() as conn:
        return Created(FieldCreated(await fields.create_field(conn, call.org_id, given.group_id, field)))
