"""A contact on its way into the database: cleaned, one value per column. What every upsert takes.

`None` means *not given*. `CLEAR` in a text column, and `None` as the value of an additional field, mean
*take the value away*.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

CLEAR: Final = "\x1d"
"""A control character, so no cleaned value can equal it."""

TEXT_COLUMNS: Final = (
    "external_id",
    "email",
    "phone",
    "first_name",
    "last_name",
    "contact_key",
    "language",
    "time_zone",
    "region",
    "town",
    "street",
    "postcode",
)
"""Columns of `contact` that hold one text value each, in the order in which the statements take them."""

TokenKind = str
"""One of the kinds of table push_token: mobilepush, webpush, telegram, appinbox, widget, inapp."""


class Token(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A push token or device id; `app_id` is empty where the caller named no application."""

    kind: TokenKind
    value: str
    app_id: str = ""
    active: bool = True
    device: dict[str, Any] = {}


class ContactRow(msgspec.Struct, array_like=True, gc=False):
    """Cleaned columns of one contact (contract 7.1). As msgpack it is the payload of a stored import."""

    external_id: str | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    contact_key: str | None = None
    language: str | None = None
    time_zone: str | None = None
    region: str | None = None
    town: str | None = None
    street: str | None = None
    postcode: str | None = None
    email_spelling: str | None = None
    """The address as written, where it differs from `email`, its normal form."""
    orders_info: str | None = None
    """JSON text of the old member `ordersInfo`."""
    fields: Mapping[str, Any] = {}
    """Additional fields by id (as text, the keys of contact.fields): typed values."""
    tokens: tuple[Token, ...] = ()
    groups: tuple[str, ...] = ()
    """Names of lists to join."""
    contact_id: int | None = None
    """Our own id, where the caller names the contact by it."""
