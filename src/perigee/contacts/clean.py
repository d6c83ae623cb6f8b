"""From the contact of the wire to clean columns (contract 7.1). Pure, and the hot path of every import.

A contact that breaks a rule is refused as a whole with `Invalid`, which names member, value and rule. Blank text
is no text (contract 3). Additional fields are typed later, against the organisation's definitions
(`fields.apply_types`); here only their ids and shapes are looked at.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import msgspec

from perigee.contacts.rows import ContactRow, Token
from perigee.contacts.types import Scalar, WireAddress, WireChannel, WireContact, WireField, WireGroup
from perigee.errors import Invalid
from perigee.lib.addresses import normal_email, normal_phone, not_email, not_phone, parse_email
from perigee.lib.languages import normal_language, normal_time_zone
from perigee.lib.names import name_problem
from perigee.lib.scalars import one_or_many, to_bool, to_id, to_text
from perigee.lib.text import clean_json

ID_LENGTH: Final = 255
ADDRESS_LENGTH: Final = 255
TOKEN_LENGTH: Final = 1000
DEVICE_LENGTH: Final = 500
MODEL_LENGTH: Final = 50
SEGMENT_LENGTH: Final = 255
ORDERS_INFO_LENGTH: Final = 1000

PHONES: Final = frozenset({"sms", "viber"})
TOKENS: Final = {
    "mobilepush": "mobilepush",
    "webpush": "webpush",
    "appinbox": "appinbox",
    "widget": "widget",
    "inapp": "inapp",
    "telegram": "telegram",
    "telegrambot": "telegram",
}
"""Wire type of a channel → kind of a stored token."""

_encode = msgspec.json.Encoder().encode


def clean(wire: WireContact) -> ContactRow:
    """Raises Invalid. Whether the contact has a channel at all is the caller's question (`has_channel`)."""
    row = ContactRow()
    if (value := wire.first_name) is not None:
        row.first_name = first_name("firstName", value)
    if (value := wire.last_name) is not None:
        row.last_name = last_name("lastName", value)
    if (value := wire.external_customer_id) is not None:
        row.external_id = _text("externalCustomerId", value, ID_LENGTH)
    if (value := wire.contact_key) is not None:
        row.contact_key = _text("contactKey", value, ID_LENGTH)
    if (value := wire.language_code) is not None:
        row.language = language("languageCode", value)
    if (value := wire.time_zone) is not None:
        row.time_zone = time_zone("timeZone", value)
    if (value := wire.id) is not None:
        row.contact_id = to_id("id", value)
    if (channels := wire.channels) is not None:
        _channels(row, channels)
    if wire.address is not None:
        _address(row, wire.address)
    if (fields := wire.fields) is not None:
        row.fields = _fields(fields)
    if (groups := wire.groups) is not None:
        row.groups = _groups(groups)
    if wire.orders_info:
        row.orders_info = _orders_info(wire.orders_info)
    return row


def has_channel(row: ContactRow) -> bool:
    return row.email is not None or row.phone is not None or bool(row.tokens)


def no_channel() -> Invalid:
    return Invalid("channels: at least one channel with a value is required", field="channels")


def _text(member: str, value: Scalar, limit: int) -> str | None:
    """`to_text`, at once for text that needs no cleaning."""
    if (
        type(value) is str
        and value.isprintable()
        and value[:1] not in _ENDS
        and value[-1] != " "
        and len(value) <= limit
    ):
        return value
    return to_text(member, value, limit=limit)


_ENDS: Final = ("", " ")
"""The one printable character that is trimmed, and no character at all."""


# Names, languages and zones repeat, so most cost one look-up. Refusals are not cached: exceptions never are.


@lru_cache(maxsize=65536)
def first_name(member: str, value: Scalar) -> str | None:
    """Raises Invalid. `member` is what the refusal calls it, here and below."""
    return _name(member, value, count_words=True)


@lru_cache(maxsize=65536)
def last_name(member: str, value: Scalar) -> str | None:
    return _name(member, value, count_words=False)


def _name(member: str, value: Scalar, *, count_words: bool) -> str | None:
    text = to_text(member, value)
    if text is not None and (problem := name_problem(text, count_words=count_words)) is not None:
        raise Invalid.of(member, text, problem)
    return text


@lru_cache(maxsize=1024)
def language(member: str, value: Scalar) -> str | None:
    text = to_text(member, value)
    if text is None:
        return None
    code = normal_language(text)
    if code is None:
        raise Invalid.of(member, text, "is not a language code like en or es-AR")
    return code


@lru_cache(maxsize=1024)
def time_zone(member: str, value: Scalar) -> str | None:
    text = to_text(member, value)
    if text is None:
        return None
    zone = normal_time_zone(text)
    if zone is None:
        raise Invalid.of(member, text, "is not a time zone like Europe/Kyiv")
    return zone


def _channels(row: ContactRow, channels: list[WireChannel | None] | WireChannel) -> None:
    """The first email, the first phone and all tokens. A channel without a value is no channel."""
    tokens: dict[tuple[str, str, str], Token] = {}
    for channel in channels if isinstance(channels, list) else (channels,):
        if channel is None:
            continue
        kind = channel.type
        if kind not in _KINDS:
            kind = _kind(kind)
        value = channel.value
        if kind == "email":
            if row.email is None and value is not None:
                row.email, row.email_spelling = email("channels", value)
        elif kind in PHONES:
            if row.phone is None and value is not None:
                row.phone = phone("channels", value)
        elif (token := _token(TOKENS[str(kind)], channel)) is not None:
            tokens[token.kind, token.app_id, token.value] = token
    if tokens:
        row.tokens = tuple(tokens.values())


_KINDS: Final = frozenset({"email", *PHONES, *TOKENS})


def _kind(value: Scalar) -> str:
    text = to_text("channels.type", value)
    kind = (text or "").lower()
    if kind not in _KINDS:
        raise Invalid.of("channels.type", text or "", "must be one of " + ", ".join(sorted(_KINDS)))
    return kind


def email(member: str, value: Scalar) -> tuple[str | None, str | None]:
    """(normal form, spelling where it differs), both None for a blank."""
    text = value if type(value) is str else to_text(member, value)
    if text is None:
        return None, None
    normal = normal_email(text)
    if normal == text:
        return normal, None
    if normal is None:
        if not text.strip():
            return None, None
        raise not_email(text, member)
    parsed = parse_email(text)
    return normal, parsed and parsed.spelling


def phone(member: str, value: Scalar) -> str | None:
    text = value if type(value) is str else to_text(member, value)
    if text is None or not text.strip():
        return None
    digits = normal_phone(text)
    if digits is None:
        raise not_phone(text, member)
    return digits


def _token(kind: str, channel: WireChannel) -> Token | None:
    value = to_text("channels.value", channel.value, limit=TOKEN_LENGTH)
    if value is None:
        return None
    active, app_id = True, None
    about: dict[str, Any] = {}
    if (device := channel.device) is not None:
        app_id = to_text("device.appId", device.app_id, limit=ID_LENGTH)
        active = to_bool("device.active", device.active) is not False
        about = _about(device, "device")
        if len(about.get("deviceModel", "")) > MODEL_LENGTH:
            raise Invalid.of(
                "device.deviceModel", about["deviceModel"], f"is longer than {MODEL_LENGTH} characters"
            )
    if (web := channel.web_push) is not None:
        app_id = to_text("webPushSubscription.appId", web.app_id, limit=ID_LENGTH) or app_id
        about |= _about(web, "webPushSubscription")
    return Token(kind, value, app_id or "", active, about)


def _about(struct: msgspec.Struct, member: str) -> dict[str, Any]:
    """What is said about a device, in its wire names, without what has a column of its own."""
    members = msgspec.to_builtins(struct)
    cleaned = {
        name: to_text(f"{member}.{name}", value, limit=DEVICE_LENGTH)
        for name, value in members.items()
        if name not in ("appId", "active")
    }
    return {name: value for name, value in cleaned.items() if value is not None}


def _address(row: ContactRow, address: WireAddress) -> None:
    row.region = _text("address.region", address.region, ADDRESS_LENGTH)
    row.town = _text("address.town", address.town, ADDRESS_LENGTH)
    row.street = _text("address.address", address.address, ADDRESS_LENGTH)
    row.postcode = _text("address.postcode", address.postcode, ADDRESS_LENGTH)


def _fields(fields: list[WireField | None] | WireField) -> dict[str, Any]:
    """Values by field id, the later of two wins; blank ones are left out."""
    given: dict[str, Any] = {}
    for field in fields if isinstance(fields, list) else (fields,):
        if field is None:
            continue
        field_id, value = field.id, field.value
        number = field_id if type(field_id) is int and field_id > 0 else to_id("fields.id", field_id)
        if number is None:
            raise Invalid("fields.id: is required in every element", field="fields.id")
        if value is None or value == [] or (type(value) is str and not value.strip()):
            continue
        given[str(number)] = value
    return given


def _groups(groups: list[WireGroup | Scalar] | WireGroup | str) -> tuple[str, ...]:
    return group_names("groups", one_or_many(groups))


def group_names(member: str, groups: list[Any]) -> tuple[str, ...]:
    """Names of lists, from names or objects with a name. Objects of another type than a list are left out."""
    found: dict[str, None] = {}
    for group in groups:
        if isinstance(group, WireGroup):
            if (to_text(f"{member}.type", group.type) or "static").lower() != "static":
                continue
            name = to_text(f"{member}.name", group.name, limit=SEGMENT_LENGTH)
            if name is None:
                raise Invalid(f"{member}.name: is required", field=f"{member}.name")
        else:
            name = to_text(member, group, limit=SEGMENT_LENGTH)
        if name is not None:
            found[name] = None
    return tuple(found)


def _orders_info(given: dict[str, Any]) -> str:
    text = _encode(clean_json(given)).decode()
    if len(text) > ORDERS_INFO_LENGTH:
        raise Invalid("ordersInfo: is longer than 1000 characters", field="ordersInfo")
    return text
