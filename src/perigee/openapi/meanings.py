"""What members of the lenient structures mean on the wire, where their Python type (`Any`, a scalar) does not say it.

The old wire takes numbers as text and one object instead of many, so its structures are typed loosely and cleaned
afterwards. These tables say for readers and generators what is to be sent and what is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from perigee.contacts.bulk import WireBulk
from perigee.contacts.esputnik import BulkAnswer, WireContactUpdate, WireForm
from perigee.contacts.esputnik_lookups import (
    AddressBook,
    AddressBooks,
    ContactEmail,
    ContactEmails,
    WireEmails,
    WireTokenActive,
)
from perigee.contacts.fields import ShownGroup
from perigee.contacts.types import WireContact, WireField
from perigee.events.esputnik import Period
from perigee.events.intake import EventIn
from perigee.events.past import PastEventIn, PastEventsIn
from perigee.orders.intake import OrdersIn
from perigee.push.types import WebPushDomainIn, WebPushDomainsIn
from perigee.segments.esputnik import Ids, Subscriptions
from perigee.sending.types import MessageStatus, MessageStatuses, SendResult, SendResults
from perigee.site.types import SiteDomainIn


@dataclass(frozen=True)
class OneOrMany:
    """A list of `element`, or the element itself when it is alone; then, with `text`, its scalars are text."""

    element: Any
    text: bool = True


TEXT: dict[str, Any] = {"type": ["string", "number", "null"]}
NEEDED_TEXT: dict[str, Any] = {"type": ["string", "number"]}
AMOUNT: dict[str, Any] = {"type": ["number", "string"]}
TYPE_KEY: dict[str, Any] = {"type": ["string", "number"], "maxLength": 100}
EVENT_KEY: dict[str, Any] = {"type": ["string", "number", "null"], "maxLength": 300}
NAMED_VALUES: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 100}, "value": {}},
        "required": ["name"],
    },
}
PARAMS: dict[str, Any] = {
    "description": "Name and value each, or an object of values by name; every version takes both.",
    "anyOf": [NAMED_VALUES, {"type": "object"}, {"type": "null"}],
}
MOMENT: dict[str, Any] = {
    "type": ["string", "null"],
    "description": "YYYY-MM-DD or YYYY-MM-DDTHH:mm, also with seconds, fraction, Z or offset.",
}

ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "externalItemId": NEEDED_TEXT,
        "name": TEXT,
        "category": TEXT,
        "quantity": AMOUNT,
        "cost": {"type": ["number", "string", "null"]},
        "url": TEXT,
        "imageUrl": TEXT,
        "description": TEXT,
    },
    "required": ["externalItemId", "quantity"],
}
ORDER: dict[str, Any] = {
    "type": "object",
    "description": "One of externalCustomerId, email and phone is required. Unknown members are kept.",
    "properties": {
        "externalOrderId": NEEDED_TEXT,
        "externalCustomerId": TEXT,
        "email": TEXT,
        "phone": TEXT,
        "totalCost": AMOUNT,
        "status": {
            "type": "string",
            "examples": ["INITIALIZED", "IN_PROGRESS", "DELIVERED", "CANCELLED", "ABANDONED_SHOPPING_CART"],
        },
        "date": {"type": "string", "examples": ["2025-05-04T10:11:10+03:00"]},
        "currency": {"type": ["string", "null"], "examples": ["EUR"]},
        "firstName": TEXT,
        "lastName": TEXT,
        "shipping": {"type": ["number", "string", "null"]},
        "discount": {"type": ["number", "string", "null"]},
        "taxes": {"type": ["number", "string", "null"]},
        "restoreUrl": TEXT,
        "statusDescription": TEXT,
        "storeId": TEXT,
        "deliveryMethod": TEXT,
        "paymentMethod": TEXT,
        "deliveryAddress": TEXT,
        "source": {"type": ["string", "null"], "examples": ["online", "offline"]},
        "additionalInfo": {"type": ["object", "null"]},
        "items": {"anyOf": [{"type": "array", "items": ITEM}, {"type": "null"}]},
    },
    "required": ["externalOrderId", "totalCost", "status", "date"],
}
REFUSED_CONTACT: dict[str, Any] = {
    "description": "The contact as it came, with `error`.",
    "type": "object",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
}

REQUIRED: dict[type, tuple[str, ...]] = {
    WireBulk: ("contacts", "dedupeOn"),
    WireForm: ("contact",),
    WireEmails: ("emails",),
    WireTokenActive: ("active",),
    EventIn: ("eventTypeKey",),
    PastEventIn: ("eventTypeKey", "keyValue", "occurred"),
    OrdersIn: ("orders",),
    SiteDomainIn: ("domain",),
    WebPushDomainIn: ("domain", "serviceWorkerName", "serviceWorkerPath", "serviceWorkerScope"),
    WebPushDomainsIn: ("domains",),
}
"""Members without which a call is refused."""

MEANINGS: dict[tuple[type, str], Any] = {
    (WireContactUpdate, "contact"): {
        "type": ["object", "null"],
        "description": "The contact itself may stand here.",
    },
    (WireBulk, "contacts"): {
        "type": "array",
        "items": {"$ref": "#/components/schemas/WireContact"},
        "minItems": 1,
        "maxItems": 3000,
    },
    (WireBulk, "dedupeOn"): {
        "type": "string",
        "examples": [
            "email",
            "sms",
            "push",
            "email_or_sms",
            "id",
            "externalCustomerId",
            "fieldId",
            "mobilepush",
            "webpush",
        ],
    },
    (WireField, "value"): {
        "description": "Several values of a checkbox list as a list or comma separated.",
        "type": ["string", "number", "boolean", "null", "array"],
        "items": {"type": ["string", "number", "boolean", "null"]},
    },
    (BulkAnswer, "failedContacts"): {"anyOf": [{"type": "array", "items": REFUSED_CONTACT}, REFUSED_CONTACT]},
    (ContactEmails, "results"): OneOrMany(ContactEmail),
    (SendResults, "id"): {"type": ["integer", "string"]},
    (SendResults, "results"): OneOrMany(SendResult),
    (MessageStatuses, "results"): OneOrMany(MessageStatus),
    (AddressBooks, "addressBook"): OneOrMany(AddressBook, text=False),
    (AddressBook, "fieldGroups"): OneOrMany(ShownGroup, text=False),
    (EventIn, "eventTypeKey"): TYPE_KEY,
    (EventIn, "keyValue"): EVENT_KEY,
    (EventIn, "params"): PARAMS,
    (EventIn, "parameters"): PARAMS | {"deprecated": True},
    (PastEventIn, "eventTypeKey"): TYPE_KEY,
    (PastEventIn, "keyValue"): {"type": ["string", "number"], "maxLength": 300},
    (PastEventIn, "params"): PARAMS,
    (PastEventIn, "parameters"): PARAMS | {"deprecated": True},
    (PastEventIn, "occurred"): {"type": "string", "examples": ["2025-03-22T14:30"]},
    (PastEventsIn, "events"): {
        "type": "array",
        "items": {"$ref": "#/components/schemas/PastEventIn"},
        "maxItems": 500,
    },
    (Period, "from"): MOMENT,
    (Period, "to"): MOMENT,
    (OrdersIn, "orders"): {"type": "array", "items": ORDER, "maxItems": 1000},
    (Ids, "contactIds"): {
        "type": ["array", "null"],
        "items": {"type": ["integer", "string"]},
        "maxItems": 500,
    },
    (Ids, "externalCustomerIds"): {
        "type": ["array", "null"],
        "items": {"type": ["string", "number"]},
        "maxItems": 500,
    },
    (Subscriptions, "subscriptions"): {"type": "array", "items": {"type": "string"}},
    (SiteDomainIn, "domain"): {"type": "string", "examples": ["shop.example.com"]},
    (WebPushDomainIn, "domain"): {"type": "string", "examples": ["https://shop.example.com"]},
    (WebPushDomainIn, "serviceWorkerName"): {"type": "string", "examples": ["sw.js"]},
    (WebPushDomainIn, "serviceWorkerPath"): {"type": "string", "examples": ["/"]},
    (WebPushDomainIn, "serviceWorkerScope"): {"type": "string", "examples": ["/"]},
}
"""(structure, member) → a JSON schema, a type, or OneOrMany of a type."""

_ = WireContact  # referred to by name above
