"""What `match` knows of one contact, and what of it a tree needs. Pure; `facts.py` fills it from the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

Happening = Literal[
    "sent", "unavailable", "failed", "delivered", "opened", "clicked", "unsubscribed", "complained"
]
"""What may happen to a message."""


class Address(NamedTuple):
    """State of a contact's email or phone; the columns of `address`."""

    confirmed: bool
    unsubscribed_at: datetime | None = None
    complained_at: datetime | None = None
    blacklisted_at: datetime | None = None
    blocked_until: datetime | None = None
    soft_bounces: int = 0
    doubted_at: datetime | None = None
    unsubscribe_source: str | None = None
    unsubscribe_reason: str | None = None
    blacklist_reason: str | None = None


class Token(NamedTuple):
    kind: str
    app_id: str
    active: bool
    created_at: datetime
    device: Mapping[str, Any]
    site: str | None
    """Domain of a web push site."""


class OrderSums(NamedTuple):
    """One half of `contact_orders`: delivered orders, or all that were placed and neither cancelled nor abandoned."""

    number: int = 0
    total: Decimal = Decimal(0)
    first: datetime | None = None
    last: datetime | None = None


NO_ORDERS = OrderSums()


class RfmPlace(NamedTuple):
    """A cell of a grid, and when the contact came into it."""

    recency: int
    frequency: int
    since: datetime


class Item(NamedTuple):
    product_id: str
    quantity: Decimal


class Order(NamedTuple):
    status: str
    ordered_at: datetime
    total: Decimal
    currency: str
    source: str
    items: Sequence[Item] = ()
    """None unless the tree looks at items."""


class Change(NamedTuple):
    """What changed about a product."""

    at: datetime
    old_price: Decimal | None
    price: Decimal | None
    currency: str | None
    old_in_stock: bool | None
    in_stock: bool | None


class Product(NamedTuple):
    """What is known of a product now."""

    name: str | None
    brand: str | None
    url: str | None
    price: Decimal | None
    in_stock: bool | None
    categories: Sequence[str]
    tags: Mapping[str, Sequence[str]]
    currency: str | None
    changes: Sequence[Change] = ()
    """None unless the tree looks at them."""


PRODUCT_ID_NAMES = ("productId", "productKey", "product_id")
"""Members of an event that name a product, the surest first (TRACKING 2.2 and 3)."""


def product_id_of(thing: Mapping[str, str | None]) -> str | None:
    return next((thing[name] for name in PRODUCT_ID_NAMES if thing.get(name) is not None), None)


class Event(NamedTuple):
    occurred_at: datetime
    params: Mapping[str, str | None]
    """The parameters that the tree asks for, as text; JSON of what is neither text nor number."""
    lists: Mapping[str, Sequence[Mapping[str, str | None]]] = {}
    """By parameter, of those that the tree asks for and the event has: the things it lists, each with the members
    that are asked for as text."""


class Message(NamedTuple):
    """One message and when the thing in question happened to it; what its send says of it.

    What follows `detail` is there only for trees that need `message_details`.
    """

    at: datetime
    channel: str
    send_id: int
    ordinal: int
    kind: str | None = None
    campaign_id: int | None = None
    message_id: int | None = None
    tags: Sequence[str] = ()
    categories: Sequence[str] = ()
    detail: str | None = None
    """The address of the link, or what the provider said."""
    variant: int | None = None
    language: str | None = None
    domain: str | None = None
    sent_at: datetime | None = None
    reasons: Sequence[str | None] = ()

    @property
    def key(self) -> tuple[int, int]:
        return self.send_id, self.ordinal


@dataclass(frozen=True, slots=True)
class Person:
    """The facts of one contact, as far as the needs of the tree go."""

    contact_id: int
    columns: Mapping[str, Any]
    """Columns of `contact` by name."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Additional fields by id (as text, as stored); numbers are Decimal."""
    addresses: Mapping[str, Address] = field(default_factory=dict)
    """By kind: email, phone."""
    tokens: Sequence[Token] = ()
    segments: Mapping[int, datetime] = field(default_factory=dict)
    """Lists the contact is in, each with the time when it came into it."""
    delivered: OrderSums = NO_ORDERS
    placed: OrderSums = NO_ORDERS
    orders: Sequence[Order] = ()
    events: Mapping[int, Sequence[Event]] = field(default_factory=dict)
    """By event type id; in the order of time, those of one instant in that of their ids."""
    rfm: Mapping[str, RfmPlace] = field(default_factory=dict)
    """By grid."""
    products: Mapping[str, Product] = field(default_factory=dict)
    """Those that the person's orders and events name, and more; by id."""
    messages: Mapping[Happening, Sequence[Message]] = field(default_factory=dict)
    """By what happened."""


@dataclass(slots=True)
class Needs:
    """What a tree looks at, so that only that is loaded. Columns and additional fields always are."""

    addresses: bool = False
    tokens: bool = False
    segments: set[int] = field(default_factory=set)
    order_sums: bool = False
    orders: bool = False
    items: bool = False
    """Of the orders."""
    rfm: bool = False
    changes: bool = False
    """Of the products."""
    products: bool = False
    """Those of the items, and of the events' parameters of `leaves.visits`."""
    events: dict[int, set[str]] = field(default_factory=dict)
    """Event types, each with the parameters asked for."""
    lists: dict[str, set[str]] = field(default_factory=dict)
    """Parameters of events that list things, each with the members asked for."""
    messages: set[Happening] = field(default_factory=set)
    message_details: bool = False
    """What the ledger, the experiment and the consent log say of these messages."""
