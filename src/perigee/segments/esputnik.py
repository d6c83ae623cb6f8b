"""The old wire's methods of segments and subscription categories (contract sections 13 and 14)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from perigee.contacts.read import contacts as read_contacts
from perigee.contacts.types import Contact
from perigee.esputnik.face import (
    PAGE,
    Answer,
    Call,
    Query,
    Right,
    Sentence,
    listing,
    operation,
    page,
    sentence,
)
from perigee.lib.dates import wire
from perigee.lib.scalars import id_list, one_or_many, to_bool, to_text
from perigee.lib.text import clean_or_none
from perigee.segments import categories, static, store
from perigee.segments.listing import page as members_page
from perigee.segments.static import People
from perigee.segments.types import Category

TYPES = {"static": "Static", "dynamic": "Dynamic"}


class Group(msgspec.Struct):
    id: int
    name: str
    type: str


class Ids(msgspec.Struct, rename={"contact_ids": "contactIds", "external_ids": "externalCustomerIds"}):
    """Whom to attach or detach; numbers may be text, one may stand for a list."""

    contact_ids: Any = None
    external_ids: Any = None


class Subscriptions(msgspec.Struct):
    subscriptions: list[Any]


class ContactCategory(msgspec.Struct, rename="camel"):
    id: int
    key: str
    group_id: int
    name: str


class Subscription(msgspec.Struct, rename="camel"):
    id: int
    key: str
    group_id: int
    name: str
    contacts_count: int
    created_date: str
    updated_date: str


@operation(
    "GET",
    "/v1/groups",
    section="13.1",
    right=Right.CONTACT_READ,
    answer=list[Group],
    query=(
        Query("name", str, "part of the name"),
        *PAGE,
    ),
    answer_example=[{"id": 200400, "name": "Customers", "type": "Static"}],
)
async def list_groups(call: Call) -> Answer:
    """List segments; `name` is a part of their names."""
    skip, rows = page(call)
    part = clean_or_none(call.query.get("name"))
    async with call.context.database.connection() as conn:
        found = await store.list_segments(conn, call.org_id, part=part, after=0, skip=skip, rows=rows)
        total = await store.count_segments(conn, call.org_id, part)
    return listing([Group(row.segment_id, row.name, TYPES[row.kind]) for row in found], total)


@operation(
    "GET",
    "/v1/group/{segment_id:int}/contacts",
    section="13.2",
    right=Right.CONTACT_READ,
    answer=list[Contact],
    query=(
        Query("orderByTs", bool, "by the time of joining instead of the id", default=False),
        Query("asc", bool, "upwards", default=True),
        *PAGE,
    ),
    answer_example=[
        {
            "id": 23456789,
            "channels": [{"type": "email", "value": "anna@example.com"}],
            "firstName": "Anna",
            "addressBookId": 7200,
            "externalCustomerId": "CRM-1001",
        }
    ],
)
async def list_group_contacts(call: Call) -> Answer:
    """List the contacts of a segment, by id or by the time they joined it."""
    segment_id = call.path["segment_id"]
    skip, rows = page(call)
    by_joining = to_bool("orderByTs", call.query.get("orderByTs"))
    descending = to_bool("asc", call.query.get("asc")) is False
    async with call.context.database.connection() as conn:
        ids, total = await members_page(
            conn,
            call.org_id,
            segment_id,
            call.context.now(),
            skip=skip,
            rows=rows,
            by_joining=bool(by_joining),
            descending=descending,
        )
        return listing(await read_contacts(conn, call.org_id, ids), total)


@operation(
    "POST",
    "/v1/group/{segment_id:int}/contacts/attach",
    section="13.3",
    right=Right.CONTACT_UPDATE,
    body=Ids,
    answer=Sentence,
    example={"contactIds": [23456789, 23456790]},
    answer_example="Contacts were attached",
)
async def attach_contacts(call: Call) -> Answer:
    """Add contacts to a static segment; unknown ones are skipped."""
    given = _people(await call.json(Ids, optional=True))
    async with call.context.database.transaction() as conn:
        await static.attach(conn, call.org_id, call.path["segment_id"], given, most=_most(call))
    return sentence("Contacts were attached")


@operation(
    "POST",
    "/v1/group/{segment_id:int}/contacts/detach",
    section="13.4",
    right=Right.CONTACT_UPDATE,
    body=Ids,
    answer=Sentence,
    example={"externalCustomerIds": ["CRM-1001"]},
    answer_example="Contacts were detached",
)
async def detach_contacts(call: Call) -> Answer:
    """Remove contacts from a static segment; with nobody named, all of them."""
    given = _people(await call.json(Ids, optional=True))
    async with call.context.database.transaction() as conn:
        if given.named:
            await static.detach(conn, call.org_id, call.path["segment_id"], given, most=_most(call))
        else:
            await static.empty(conn, call.org_id, call.path["segment_id"])
    return sentence("Contacts were detached")


@operation(
    "GET",
    "/v1/subscriptions",
    section="14.1",
    right=Right.GENERAL,
    answer=list[Subscription],
    answer_example=[
        {
            "id": 51,
            "key": "news",
            "groupId": 200410,
            "name": "News",
            "contactsCount": 1200,
            "createdDate": "2025-01-02T03:04:05",
            "updatedDate": "2025-02-02T03:04:05",
        }
    ],
)
async def list_subscriptions(call: Call) -> list[Subscription]:
    """List subscription categories with their numbers of contacts."""
    zone = ZoneInfo(call.principal.time_zone)
    async with call.context.database.connection() as conn:
        found = await categories.list_all(conn, call.org_id)
    return [
        Subscription(
            category.category_id,
            category.key,
            category.segment_id,
            category.name,
            count,
            wire(category.created_at, zone),
            wire(category.updated_at, zone),
        )
        for category, count in found
    ]


@operation(
    "GET",
    "/v1/contact/{contact_id:int}/subscriptions",
    section="14.2",
    right=Right.CONTACT_READ,
    answer=list[ContactCategory],
    answer_example=[{"id": 51, "key": "news", "groupId": 200410, "name": "News"}],
)
async def get_contact_subscriptions(call: Call) -> list[ContactCategory]:
    """List a contact's subscription categories."""
    async with call.context.database.connection() as conn:
        found = await categories.of_contact(conn, call.org_id, call.path["contact_id"])
    return [_contact_category(category) for category in found]


@operation(
    "PUT",
    "/v1/contact/{contact_id:int}/subscriptions",
    section="14.3",
    right=Right.CONTACT_UPDATE,
    body=Subscriptions,
    answer=Sentence,
    example={"subscriptions": ["news", "promo"]},
    answer_example="Subscriptions of contact with id='23456789' have been updated",
)
async def set_contact_subscriptions(call: Call) -> Answer:
    """Replace a contact's subscription categories; an empty list removes all."""
    contact_id = call.path["contact_id"]
    given = await call.json(Subscriptions)
    keys = [to_text("subscriptions", key) or "" for key in given.subscriptions]
    async with call.context.database.transaction() as conn:
        await categories.set_for_contact(conn, call.org_id, contact_id, keys)
    return sentence(f"Subscriptions of contact with id='{contact_id}' have been updated")


def _people(ids: Ids) -> People:
    external = [to_text("externalCustomerIds", value) for value in one_or_many(ids.external_ids)]
    return People(
        id_list("contactIds", ids.contact_ids),
        list(dict.fromkeys(value for value in external if value is not None)),
    )


def _most(call: Call) -> int:
    return call.context.settings.max_ids_per_call


def _contact_category(category: Category) -> ContactCategory:
    return ContactCategory(category.category_id, category.key, category.segment_id, category.name)
