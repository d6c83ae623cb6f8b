"""The wire's orders, cleaned one by one (contract 17.1). Pure.

A bad order fails alone. Numbers arrive as text, "" and null and an empty list mean "not given", statuses we do not
know are accepted, and members we do not know are kept in `details`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from perigee.errors import Invalid
from perigee.events.keys import check_type_key
from perigee.events.types import Identity
from perigee.lib.addresses import normal_email, normal_phone, not_email, not_phone
from perigee.lib.dates import to_moment
from perigee.lib.names import name_problem
from perigee.lib.scalars import one_or_many, to_decimal, to_text
from perigee.lib.text import clean_json
from perigee.orders.types import STATUSES, CleanOrder, Item

MAX_ITEMS = 5000
"""Items of one order."""

KEY_LENGTH = 300
_MONEY = ("shipping", "discount", "taxes")
_OWN_COLUMN = frozenset(
    {"externalOrderId", "totalCost", "status", "date", "currency", "source", "items", *_MONEY}
)
_ITEM_COLUMN = frozenset({"externalItemId", "quantity", "cost", "name", "category"})


class Refused(NamedTuple):
    """An order that breaks a rule, as it came, and which rule."""

    order: Any
    error: str


def clean_all(orders: Sequence[Any], zone: tzinfo) -> tuple[list[CleanOrder], list[Refused]]:
    """`zone` is the organisation's: it holds for dates without an offset."""
    good: list[CleanOrder] = []
    refused: list[Refused] = []
    for order in orders:
        try:
            good.append(clean(order, zone))
        except Invalid as error:
            refused.append(Refused(order, error.message))
    return good, refused


def clean(order: Any, zone: tzinfo) -> CleanOrder:
    """Raises Invalid: a required member is missing or malformed, or nothing says whose order it is."""
    if not isinstance(order, dict):
        raise Invalid("order: is not an object", field="order")
    order = _given(order)
    get = order.get
    return CleanOrder(
        external_order_id=_required(
            "externalOrderId", to_text("externalOrderId", get("externalOrderId"), limit=KEY_LENGTH)
        ),
        who=_who(order),
        status=clean_status(get("status")),
        total=_required("totalCost", _amount("totalCost", get("totalCost"))),
        currency=clean_currency(get("currency")),
        ordered_at=_date(get("date"), zone),
        source=_source(get("source")),
        details=_details(order),
        items=_items(get("items")),
    )


def _required(field: str, value: str | None) -> str:
    if value is None:
        raise Invalid(f"{field}: is required", field=field)
    return value


def _amount(field: str, value: Any) -> str | None:
    """Exact decimal text that fits numeric(18,4)."""
    number = to_decimal(field, value, digits=14, places=4)
    return None if number is None else format(number, "f")


def _date(value: Any, zone: tzinfo) -> datetime:
    moment = to_moment("date", value, zone)
    if moment is None:
        raise Invalid("date: is required", field="date")
    return moment


def _who(order: dict[str, Any]) -> Identity:
    get = order.get
    external_id = to_text("externalCustomerId", get("externalCustomerId"), limit=KEY_LENGTH)
    email = _email(to_text("email", get("email")))
    phone = _phone(to_text("phone", get("phone")))
    if external_id is None and email is None and phone is None:
        raise Invalid("externalCustomerId, email, phone: one of them is required", field="externalCustomerId")
    return Identity(
        external_id=external_id,
        email=email,
        phone=phone,
        first_name=_name("firstName", get("firstName")),
        last_name=_name("lastName", get("lastName")),
    )


def _email(text: str | None) -> str | None:
    normal = None if text is None else normal_email(text)
    if text is not None and normal is None:
        raise not_email(text, "email")
    return normal


def _phone(text: str | None) -> str | None:
    normal = None if text is None else normal_phone(text)
    if text is not None and normal is None:
        raise not_phone(text, "phone")
    return normal


def _name(field: str, value: Any) -> str | None:
    """For a new contact only. What is no name is left out there; the order itself keeps it."""
    text = to_text(field, value)
    return text if text is not None and name_problem(text, count_words=field == "firstName") is None else None


def clean_status(value: Any) -> str:
    """A status we know, in capitals, or another word. Raises Invalid when it makes no event key."""
    text = _required("status", to_text("status", value))
    if text.upper() in STATUSES:
        return text.upper()
    check_type_key("order" + text, field="status")
    return text


def clean_currency(value: Any) -> str | None:
    text = to_text("currency", value)
    if text is None:
        return None
    if len(text) != 3 or not text.isascii() or not text.isalpha():
        raise Invalid.of("currency", text, "is not an ISO 4217 code like EUR")
    return text.upper()


def _source(value: Any) -> str | None:
    text = to_text("source", value)
    if text is None:
        return None
    return "offline" if text.lower() == "offline" else "online"


def _details(order: dict[str, Any]) -> dict[str, Any]:
    details = _rest(order, _OWN_COLUMN)
    for field in _MONEY:
        amount = to_decimal(field, order.get(field), digits=14, places=4)
        if amount is not None:
            details[field] = amount
    return details


def _given(members: dict[str, Any]) -> dict[str, Any]:
    """Without the empty ones: null, blank text and an empty list equal absence (contract 2.2)."""
    return {
        name: value
        for name, value in members.items()
        if not (value is None or value == [] or (isinstance(value, str) and not value.strip()))
    }


def _rest(members: dict[str, Any], columns: frozenset[str]) -> dict[str, Any]:
    """Members without a column of their own."""
    rest = {name: value for name, value in members.items() if name not in columns}
    return clean_json(rest) if rest else rest  # type: ignore[return-value]  # an object stays an object


def _items(value: Any) -> list[Item] | None:
    items = one_or_many(value)
    if not items:
        return None
    if len(items) > MAX_ITEMS:
        raise Invalid(f"items: {len(items)} items are more than {MAX_ITEMS}", field="items")
    return [_item(f"items[{index}].", item) for index, item in enumerate(items)]


def _item(path: str, item: Any) -> Item:
    if not isinstance(item, dict):
        raise Invalid(f"{path[:-1]}: is not an object", field=path[:-1])
    item = _given(item)
    get = item.get
    return Item(
        external_item_id=_required(
            path + "externalItemId", to_text(path + "externalItemId", get("externalItemId"), limit=KEY_LENGTH)
        ),
        quantity=_required(path + "quantity", _amount(path + "quantity", get("quantity"))),
        cost=_amount(path + "cost", get("cost")),
        name=to_text(path + "name", get("name")),
        category=to_text(path + "category", get("category")),
        details=_rest(item, _ITEM_COLUMN),
    )
