"""Boundary types of people: the contact of the wire, in and out (contract 7.1).

In: lenient, as real clients write it: one object where a list is meant, numbers where text is meant, null
anywhere. Out: members without a value are left out; older clients break on members they do not know.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

Scalar = str | int | float | bool | None
"""Text; numbers and booleans stand for their text."""


class WireDevice(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    app_id: Scalar = None
    device_model: Scalar = None
    os: Scalar = None
    locale: Scalar = None
    client_version: Scalar = None
    app_version: Scalar = None
    active: Scalar = None


class WireWebPush(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    app_id: Scalar = None
    user_agent: Scalar = None
    user_agent_version: Scalar = None
    user_agent_language: Scalar = None
    os: Scalar = None
    ip: Scalar = None
    subscription_page: Scalar = None
    sw_active_version: Scalar = None


class WireChannel(msgspec.Struct, gc=False, rename={"web_push": "webPushSubscription"}):
    type: Scalar = None
    value: Scalar = None
    device: WireDevice | None = None
    web_push: WireWebPush | None = None


class WireAddress(msgspec.Struct, gc=False):
    region: Scalar = None
    town: Scalar = None
    address: Scalar = None
    postcode: Scalar = None


class WireField(msgspec.Struct, gc=False):
    id: Scalar = None
    value: Scalar | list[Scalar] = None


class WireGroup(msgspec.Struct, gc=False):
    id: Scalar = None
    name: Scalar = None
    type: Scalar = None


class WireContact(msgspec.Struct, rename="camel", gc=False):
    """A contact as it arrives. Members we do not know are ignored."""

    id: Scalar = None
    first_name: Scalar = None
    last_name: Scalar = None
    channels: list[WireChannel | None] | WireChannel | None = None
    address: WireAddress | None = None
    fields: list[WireField | None] | WireField | None = None
    external_customer_id: Scalar = None
    contact_key: Scalar = None
    groups: list[WireGroup | Scalar] | WireGroup | str | None = None
    language_code: Scalar = None
    time_zone: Scalar = None
    orders_info: dict[str, Any] | None = None


class Channel(msgspec.Struct, omit_defaults=True):
    type: str
    value: str
    device: dict[str, Any] | None = None
    web_push: dict[str, Any] | None = msgspec.field(default=None, name="webPushSubscription")


class Address(msgspec.Struct):
    """All four members, whenever one of them has a value: a client reads them without looking."""

    region: str
    town: str
    address: str
    postcode: str


class FieldValue(msgspec.Struct):
    id: int
    value: str


class GroupName(msgspec.Struct):
    id: int
    name: str
    type: str


class Contact(msgspec.Struct, rename="camel", omit_defaults=True):
    """A contact as it is answered."""

    id: int
    channels: list[Channel]
    first_name: str | UnsetType = UNSET
    last_name: str | UnsetType = UNSET
    address: Address | UnsetType = UNSET
    fields: list[FieldValue] | UnsetType = UNSET
    address_book_id: int | UnsetType = UNSET
    external_customer_id: str | UnsetType = UNSET
    contact_key: str | UnsetType = UNSET
    groups: list[GroupName] | UnsetType = UNSET
    language_code: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    orders_info: dict[str, Any] | UnsetType = UNSET


class ContactId(msgspec.Struct):
    id: int
