"""The old wire's look-ups: contacts found, unsubscribed addresses, additional fields, push tokens.

Contract sections 11.1, 11.2, 11.6, 12, 15, 22.1 and 22.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from perigee.contacts import fields, push_tokens, read, read_store
from perigee.contacts.fields import ShownField
from perigee.contacts.read import ADDRESS_BOOK_ID
from perigee.contacts.read_store import Filters
from perigee.contacts.types import Contact, ContactId, Scalar
from perigee.contacts.unsubscribe import Unsubscribe, resubscribe, unsubscribe
from perigee.errors import Invalid
from perigee.esputnik.face import (
    PAGE,
    Answer,
    Call,
    Empty,
    Query,
    Right,
    collapse,
    empty,
    listing,
    operation,
    page,
)
from perigee.lib.addresses import normal_email, normal_phone, not_email
from perigee.lib.scalars import id_list, one_or_many, to_bool, to_text


@operation(
    "GET",
    "/v1/contacts",
    section="11.1",
    right=Right.CONTACT_READ,
    answer=list[Contact],
    query=(
        Query("externalCustomerId", str, "equal to this; excludes the other conditions", example="CRM-1001"),
        Query("email", str, "equal to this"),
        Query("sms", str, "phone, equal to this"),
        Query("firstname", str, "beginning of the first name"),
        Query("lastname", str, "beginning of the last name"),
        Query("sortBy", str, "`contactId`, for the fastest full export; without conditions only"),
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
async def search_contacts(call: Call) -> Answer:
    """Search contacts: equal external id, email or phone, beginning of a name."""
    return await _search(call)


@operation("GET", "/v1/contacts/old", section="19.6", right=Right.CONTACT_READ, answer=list[Contact])
async def search_contacts_old(call: Call) -> Answer:
    """Search contacts, as an old library calls it."""
    return await _search(call)


async def _search(call: Call) -> Answer:
    skip, rows = page(call)
    filters = _filters(call)
    by_id = to_text("sortBy", call.query.get("sortBy")) == "contactId"
    async with call.context.database.connection() as conn:
        if by_id and not any(filters):
            found, total = await read.export(conn, call.org_id, skip=skip, rows=rows)
        else:
            found, total = await read.search(conn, call.org_id, filters, skip=skip, rows=rows)
    return listing(found, total)


def _filters(call: Call) -> Filters:
    """An external id excludes the other conditions. An address that is none is looked for as it stands: in vain."""
    given = {
        name: to_text(name, call.query.get(name))
        for name in ("externalCustomerId", "email", "sms", "firstname", "lastname")
    }
    if given["externalCustomerId"]:
        return Filters(external_id=given["externalCustomerId"])
    email, phone = given["email"], given["sms"]
    return Filters(
        email=email and (normal_email(email) or email),
        phone=phone and (normal_phone(phone) or phone),
        first_name=given["firstname"],
        last_name=given["lastname"],
    )


class ContactEmail(msgspec.Struct, rename="camel"):
    contact_id: int
    email: str


class ContactEmails(msgspec.Struct):
    results: Any
    """Several as a list, one as itself."""


@operation(
    "GET",
    "/v1/contacts/email",
    section="11.2",
    right=Right.CONTACT_READ,
    answer=ContactEmails,
    query=(Query("ids", list[int], "contact ids", example=[23456789, 23456790]),),
    answer_example={
        "results": [
            {"contactId": 23456789, "email": "anna@example.com"},
            {"contactId": 23456790, "email": "bo@example.com"},
        ]
    },
)
async def get_contact_emails(call: Call) -> ContactEmails:
    """Emails of contacts by their ids; unknown ids are left out."""
    ids = id_list("ids", call.query.getall("ids", []), limit=call.context.settings.max_contacts_per_call)
    async with call.context.database.connection() as conn:
        found = await read_store.emails(conn, call.org_id, ids)
    return ContactEmails(collapse(call, [ContactEmail(*row) for row in found]))


class WireEmails(msgspec.Struct):
    emails: list[Scalar] | Scalar = None


def clean_emails(wire: WireEmails) -> list[str]:
    """Normal forms. What is no email is left out, unless nothing else is there: then Invalid."""
    given = [text for one in one_or_many(wire.emails) if (text := to_text("emails", one)) is not None]
    if not given:
        raise Invalid("emails: at least one address is required", field="emails")
    emails = dict.fromkeys(email for text in given if (email := normal_email(text)) is not None)
    if not emails:
        raise not_email(given[0], "emails")
    return list(emails)


async def _add(call: Call) -> Answer:
    emails = clean_emails(await call.json(WireEmails))
    async with call.context.database.transaction() as conn:
        await unsubscribe(conn, call.org_id, [Unsubscribe("email", email, source="api") for email in emails])
    return empty()


async def _remove(call: Call) -> Answer:
    emails = clean_emails(await call.json(WireEmails))
    async with call.context.database.transaction() as conn:
        await resubscribe(conn, call.org_id, "email", emails, source="api")
    return empty()


@operation(
    "POST",
    "/v1/emails/unsubscribed/add",
    section="12.1",
    right=Right.CONTACT_UPDATE,
    body=WireEmails,
    answer=Empty,
    example={"emails": ["anna@example.com", "bo@example.com"]},
)
async def add_unsubscribed_emails(call: Call) -> Answer:
    """Mark addresses as unsubscribed in the whole organisation."""
    return await _add(call)


@operation(
    "POST",
    "/v1/emails/unsubscribed/delete",
    section="12.2",
    right=Right.CONTACT_UPDATE,
    body=WireEmails,
    answer=Empty,
    example={"emails": ["anna@example.com", "bo@example.com"]},
)
async def delete_unsubscribed_emails(call: Call) -> Answer:
    """Take the mark of addresses off."""
    return await _remove(call)


@operation(
    "POST",
    "/v1/emails/unsubscribe/add",
    section="12.1",
    right=Right.CONTACT_UPDATE,
    body=WireEmails,
    answer=Empty,
    example={"emails": ["anna@example.com", "bo@example.com"]},
)
async def add_unsubscribed_emails_misspelt(call: Call) -> Answer:
    """Mark addresses as unsubscribed, as some libraries spell it."""
    return await _add(call)


@operation(
    "POST",
    "/v1/emails/unsubscribe/delete",
    section="12.2",
    right=Right.CONTACT_UPDATE,
    body=WireEmails,
    answer=Empty,
    example={"emails": ["anna@example.com", "bo@example.com"]},
)
async def delete_unsubscribed_emails_misspelt(call: Call) -> Answer:
    """Take the mark of addresses off, as some libraries spell it."""
    return await _remove(call)


@operation(
    "POST",
    "/v1/emails/unsubscribed",
    section="12.1",
    right=Right.CONTACT_UPDATE,
    body=WireEmails,
    answer=Empty,
    example={"emails": ["anna@example.com", "bo@example.com"]},
)
async def add_unsubscribed_emails_short(call: Call) -> Answer:
    """Mark addresses as unsubscribed, as a connector spells it."""
    return await _add(call)


class AddressBook(msgspec.Struct, rename="camel"):
    address_book_id: int
    name: str
    field_groups: Any
    """Groups of fields; a group alone, and a field alone in its group, stand without their lists."""


class AddressBooks(msgspec.Struct, rename="camel"):
    address_book: Any


@operation(
    "GET",
    "/v1/addressbooks",
    section="15.1",
    right=Right.GENERAL,
    answer=AddressBooks,
    answer_example={
        "addressBook": {
            "addressBookId": 7200,
            "name": "Main",
            "fieldGroups": [
                {
                    "name": "Personal",
                    "profileKey": "PERSONAL",
                    "fields": [
                        {
                            "id": 79815,
                            "name": "Birthday",
                            "fieldKey": "BIRTHDAY",
                            "description": {"type": "date", "required": False, "readonly": False},
                        }
                    ],
                }
            ],
        }
    },
)
async def get_address_books(call: Call) -> AddressBooks:
    """The additional fields, in their groups."""
    async with call.context.database.connection() as conn:
        groups = await fields.list_groups(conn, call.org_id)
    shown = [
        {"name": group.name, "profileKey": group.profile_key, "fields": _fields(call, group.fields)}
        for group in groups
    ]
    return AddressBooks(_alone(call, [AddressBook(ADDRESS_BOOK_ID, "Main", _alone(call, shown))]))


def _fields(call: Call, shown: Sequence[ShownField]) -> Any:
    """A field alone has its id and its booleans as text; its limits stay numbers (the example of 15.1)."""
    collapsed = collapse(call, shown)
    if isinstance(collapsed, dict) and (allowed := shown[0].description.allowed_values):
        collapsed["description"]["allowedValues"] = allowed
    return collapsed


def _alone(call: Call, elements: Sequence[Any]) -> Any:
    """As `collapse`, but what is inside keeps its types, as in the documented example."""
    return (
        elements[0] if len(elements) == 1 and not call.principal.settings.get("always_arrays") else elements
    )


class AdditionalField(msgspec.Struct, rename="camel"):
    id: int
    name: str
    field_key: str
    profile_key: str
    type: str


@operation(
    "GET",
    "/v1/additionalfields",
    section="15.2",
    right=Right.GENERAL,
    answer=list[AdditionalField],
    answer_example=[
        {"id": 79814, "name": "Level", "fieldKey": "LEVEL", "profileKey": "PERSONAL", "type": "combobox"}
    ],
)
async def get_additional_fields(call: Call) -> list[AdditionalField]:
    """The additional fields as a plain list."""
    async with call.context.database.connection() as conn:
        groups = await fields.list_groups(conn, call.org_id)
    return [
        AdditionalField(one.id, one.name, one.field_key, group.profile_key, one.description.type)
        for group in groups
        for one in group.fields
    ]


class TokenActive(msgspec.Struct):
    active: bool


class WireTokenActive(msgspec.Struct):
    active: Scalar = None


@operation(
    "GET",
    "/v1/contact/token/activated/{app_id:str}/{token:str}",
    section="22.1",
    right=Right.GENERAL,
    answer=TokenActive,
    answer_example={"active": True},
)
async def get_token_activity(call: Call) -> TokenActive:
    """Whether a mobile push token may be sent to."""
    async with call.context.database.connection() as conn:
        found = await push_tokens.find(conn, call.org_id, call.path["app_id"], call.path["token"])
    return TokenActive(found.active)


@operation(
    "PUT",
    "/v1/contact/token/activated/{app_id:str}/{token:str}",
    section="22.2",
    right=Right.GENERAL,
    body=WireTokenActive,
    answer=TokenActive,
    example={"active": False},
    answer_example={"active": False},
)
async def set_token_activity(call: Call) -> TokenActive:
    """Switch a mobile push token on or off."""
    active = to_bool("active", (await call.json(WireTokenActive)).active)
    if active is None:
        raise Invalid("active: is required, true or false", field="active")
    async with call.context.database.transaction() as conn:
        await push_tokens.set_active(conn, call.org_id, call.path["app_id"], call.path["token"], active)
    return TokenActive(active)


@operation(
    "GET",
    "/v1/contact/token/{app_id:str}/{token:str}/contactId",
    section="11.6",
    right=Right.FULL,
    answer=ContactId,
    answer_example={"id": 23456789},
)
async def get_contact_by_token(call: Call) -> ContactId:
    """The contact that a mobile push token belongs to."""
    async with call.context.database.connection() as conn:
        found = await push_tokens.find(conn, call.org_id, call.path["app_id"], call.path["token"])
    return ContactId(found.contact_id)
