"""The old wire's methods that write contacts, one at a time and in bulk (contract sections 9 and 10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, UnsetType

from perigee.contacts import bulk, delete, read
from perigee.contacts.bulk import WireBulk
from perigee.contacts.clean import clean, group_names, has_channel, no_channel
from perigee.contacts.import_status import import_state
from perigee.contacts.once import Marked, once
from perigee.contacts.single import add_or_update, update_by_id
from perigee.contacts.subscribe import Form, Subscribed, subscribe, with_groups
from perigee.contacts.types import Contact, ContactId, Scalar, WireContact, WireGroup
from perigee.db.group_commit import Apply
from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.esputnik.face import (
    Answer,
    Call,
    Query,
    Right,
    Sentence,
    bulk_limit,
    collapse,
    operation,
    sentence,
)
from perigee.esputnik.repeat import fingerprint
from perigee.events.keys import check_type_key
from perigee.lib import dates
from perigee.lib.scalars import one_or_many, to_bool, to_text

SUBSCRIBE_EVENT: Final = "subscribeUpdateFromApi"
"""The longer of the two events' names, to which a form's type is added."""


async def add_once(conn: Connection, org_id: int, items: Sequence[Marked]) -> list[Any]:
    return await once(add_or_update, conn, org_id, items)


async def update_once(conn: Connection, org_id: int, items: Sequence[Marked]) -> list[Any]:
    return await once(update_by_id, conn, org_id, items)


async def subscribe_once(conn: Connection, org_id: int, items: Sequence[Marked]) -> list[Any]:
    return await once(subscribe, conn, org_id, items)


async def _submit(call: Call, apply: Apply[Any, Any], item: Any) -> Any:
    """Group commit behind the 409 guard."""
    request = call.request
    mark = fingerprint(request.scope["method"], request.scope["path"], await call.body())
    guarded = Marked(item, mark, call.context.settings.repeat_guard_seconds)
    return await call.context.group_commit(apply).submit(call.org_id, guarded)


def path_id(call: Call) -> int:
    """The contact id of the path. Raises NotFound for a number that no contact can have."""
    number = int(call.path["contact_id"])
    if not 0 < number < 2**63:
        raise read.not_found(number)
    return number


@operation(
    "POST",
    "/v1/contact",
    section="9.1",
    right=Right.CONTACT_UPDATE,
    body=WireContact,
    answer=ContactId,
    example={
        "firstName": "Anna",
        "channels": [{"type": "email", "value": "anna@example.com"}],
        "externalCustomerId": "CRM-1001",
    },
    answer_example={"id": 23456789},
    refusals=(409,),
)
async def add_contact(call: Call) -> ContactId:
    """Add or update a contact."""
    row = clean(await call.json(WireContact))
    if not has_channel(row):
        raise no_channel()
    done = await _submit(call, add_once, row)
    return ContactId(done.contact_id)


class WireContactUpdate(WireContact):
    """Body of PUT contact/{id}; the contact may stand inside `contact`."""

    contact: WireContact | None = None


@operation(
    "PUT",
    "/v1/contact/{contact_id:int}",
    section="9.2",
    right=Right.CONTACT_UPDATE,
    body=WireContactUpdate,
    answer=Sentence,
    example={"lastName": "Koval", "channels": [{"type": "sms", "value": "380501112233"}]},
    answer_example="Contact with id='23456789' has been updated",
    refusals=(409,),
)
async def update_contact(call: Call) -> Answer:
    """Update a contact; members that are not there stay as they are."""
    contact_id = path_id(call)
    body = await call.json(WireContactUpdate)
    row = msgspec.structs.replace(clean(body.contact or body), contact_id=contact_id, groups=())
    await _submit(call, update_once, row)
    return sentence(f"Contact with id='{contact_id}' has been updated")


@operation(
    "GET",
    "/v1/contact/{contact_id:int}",
    section="9.3",
    right=Right.CONTACT_READ,
    answer=Contact,
    answer_example={
        "id": 23456789,
        "channels": [{"type": "email", "value": "anna@example.com"}],
        "firstName": "Anna",
        "addressBookId": 7200,
        "externalCustomerId": "CRM-1001",
    },
)
async def get_contact(call: Call) -> Contact:
    """Read a contact."""
    contact_id = path_id(call)
    async with call.context.database.connection() as conn:
        return await read.contact(conn, call.org_id, contact_id)


@operation(
    "DELETE",
    "/v1/contact/{contact_id:int}",
    section="9.4",
    right=Right.CONTACT_UPDATE,
    answer=Sentence,
    query=(Query("erase", bool, "remove everything about the contact for good", default=False),),
    answer_example="Contact with id='23456789' has been deleted",
)
async def delete_contact(call: Call) -> Answer:
    """Delete a contact; `erase=true` removes everything about it for good."""
    contact_id = path_id(call)
    async with call.context.database.transaction() as conn:
        await delete.delete(conn, call.org_id, contact_id, erase=_erase(call))
    return sentence(f"Contact with id='{contact_id}' has been deleted")


@operation(
    "DELETE",
    "/v1/contact",
    section="9.5",
    right=Right.CONTACT_UPDATE,
    answer=Sentence,
    query=(
        Query("externalCustomerId", str, "whom to delete", required=True, example="CRM-1001"),
        Query("erase", bool, "remove everything about the contact for good", default=False),
    ),
    answer_example="Contact with id='23456789' has been deleted",
    refusals=(404,),
)
async def delete_contact_by_external_id(call: Call) -> Answer:
    """Delete the contact with this `externalCustomerId`."""
    external_id = to_text("externalCustomerId", call.query.get("externalCustomerId"))
    if external_id is None:
        raise Invalid("externalCustomerId: is required", field="externalCustomerId")
    async with call.context.database.transaction() as conn:
        contact_id = await delete.delete_by_external_id(conn, call.org_id, external_id, erase=_erase(call))
    return sentence(f"Contact with id='{contact_id}' has been deleted")


def _erase(call: Call) -> bool:
    return to_bool("erase", call.query.get("erase")) or False


class WireForm(msgspec.Struct, rename="camel"):
    """Body of POST contact/subscribe."""

    contact: WireContact | None = None
    groups: list[WireGroup | Scalar] | WireGroup | str | None = None
    subscriptions: list[Scalar] | Scalar = None
    form_type: Scalar = None


class SubscribeAnswer(msgspec.Struct, rename="camel"):
    id: int
    email_status: str
    new: bool


@operation(
    "POST",
    "/v1/contact/subscribe",
    section="9.6",
    right=Right.CONTACT_UPDATE,
    body=WireForm,
    answer=SubscribeAnswer,
    example={
        "contact": {"firstName": "Anna", "channels": [{"type": "email", "value": "anna@example.com"}]},
        "groups": ["Newsletter"],
        "subscriptions": ["news"],
        "formType": "footer",
    },
    answer_example={"id": 23456789, "emailStatus": "NEED_CONFIRMATION", "new": True},
    refusals=(409,),
)
async def subscribe_contact(call: Call) -> SubscribeAnswer:
    """Take in a subscription form: the address is to be confirmed by its owner."""
    done: Subscribed = await _submit(call, subscribe_once, clean_form(await call.json(WireForm)))
    return SubscribeAnswer(done.contact_id, done.email_status, done.new)


def clean_form(wire: WireForm) -> Form:
    """Raises Invalid."""
    if wire.contact is None:
        raise Invalid("contact: is required", field="contact")
    row = clean(wire.contact)
    if not has_channel(row):
        raise no_channel()
    keys = (to_text("subscriptions", key) for key in one_or_many(wire.subscriptions))
    form_type = to_text("formType", wire.form_type)
    if form_type is not None:
        check_type_key(f"{SUBSCRIBE_EVENT}-{form_type}", field="formType")
    return Form(
        with_groups(row, group_names("groups", one_or_many(wire.groups))),
        tuple(dict.fromkeys(key for key in keys if key is not None)),
        form_type,
    )


class BulkAnswer(msgspec.Struct, rename="camel", omit_defaults=True):
    id: int
    """Always 0, and always there: clients test for it."""
    async_session_id: str
    failed_contacts: Any = UNSET
    """The refused contacts as they came, each with `error`; one alone stands without its list."""


@operation(
    "POST",
    "/v1/contacts",
    section="10.1",
    right=Right.CONTACT_UPDATE,
    body=WireBulk,
    answer=BulkAnswer,
    body_limit=bulk_limit,
    example={
        "contacts": [
            {
                "externalCustomerId": "1001",
                "firstName": "Anna",
                "channels": [{"type": "email", "value": "anna@example.com"}],
            }
        ],
        "dedupeOn": "email",
        "groupNames": ["Customers"],
        "restoreDeleted": False,
        "eventKeyForNewContacts": "newContact",
    },
    answer_example={"id": 0, "asyncSessionId": "6f2b6b0e-8d0f-4a57-9f1e-2c3d4e5f6a7b"},
)
async def add_contacts(call: Call) -> BulkAnswer:
    """Add or update up to 3,000 contacts; a job applies them, `importstatus` tells how far it is."""
    body = await call.json_body()
    intake = bulk.read_call(body, most=call.context.settings.max_contacts_per_call)
    async with call.context.database.transaction() as conn:
        session_id = await bulk.accept(conn, call.org_id, intake)
    failed: Any = UNSET
    if intake.failures:
        failed = collapse(call, bulk.as_they_came(body, intake.failures))
    return BulkAnswer(0, str(session_id), failed)


class MappedContact(msgspec.Struct, rename="camel"):
    dedupe_value: str
    contact_id: int


class ImportStatus(msgspec.Struct, rename="camel", omit_defaults=True):
    status: str
    timestamp: str
    description: str | UnsetType = UNSET
    mapping: list[MappedContact] | UnsetType = UNSET


@operation(
    "GET",
    "/v1/importstatus/{session_id:str}",
    section="10.3",
    right=Right.CONTACT_UPDATE,
    answer=ImportStatus,
    answer_example={
        "status": "FINISHED",
        "timestamp": "2025-05-04T10:11:12",
        "mapping": [{"dedupeValue": "anna@example.com", "contactId": 23456789}],
    },
)
async def get_import_status(call: Call) -> ImportStatus:
    """How far a bulk call or a file has come, and which contacts it became."""
    async with call.context.database.connection() as conn:
        state = await import_state(conn, call.org_id, call.path["session_id"])
    return ImportStatus(
        status=state.status,
        timestamp=dates.wire(state.at, ZoneInfo(call.principal.time_zone)),
        description=state.description or UNSET,
        mapping=UNSET if state.mapping is None else [MappedContact(*pair) for pair in state.mapping],
    )
