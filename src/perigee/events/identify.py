"""Whom an event is about, read from its parameters (contract 16, "Contact of an event"). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perigee.events.types import Identity
from perigee.lib.addresses import normal_email, normal_phone
from perigee.lib.json_edge import INT64_MAX
from perigee.lib.text import clean_or_none

CONTACT_ID = ("contactid", "contact_id")
EXTERNAL_ID = ("externalcustomerid",)
EMAIL = ("email", "emailaddress", "useremail", "contactemail")
PHONE = ("phone", "sms", "phonenumber")
TOKEN = ("pushtoken",)
CONTACT_KEY = ("contactkey", "contact_key")
NAMES = frozenset((*CONTACT_ID, *EXTERNAL_ID, *EMAIL, *PHONE, *TOKEN, *CONTACT_KEY))

_LONGEST = 300
_NOBODY = Identity()


def identify(params: Mapping[str, Any], contact_param: str | None = None) -> Identity:
    """Names count without regard to case; a value that is no such identifier is passed over.

    `contact_param` is the one parameter that a type names instead: an email, else a phone with its `+`, else
    the caller's own id of the contact.
    """
    if contact_param is not None:
        return _by_one(_text(_by_name(params).get(contact_param.lower())))
    found = {name.lower(): value for name, value in params.items() if name.lower() in NAMES}
    if not found:
        return _NOBODY
    return Identity(
        contact_id=_first(found, CONTACT_ID, _id),
        external_id=_first(found, EXTERNAL_ID, _external),
        email=_first(found, EMAIL, normal_email),
        phone=_first(found, PHONE, normal_phone),
        token=_first(found, TOKEN, str),
        contact_key=_first(found, CONTACT_KEY, str),
    )


def derived_key(who: Identity) -> str | None:
    """The key of an event that came without one: contract 16.1 gives the order."""
    if who.contact_id is not None:
        return str(who.contact_id)
    return who.external_id or who.email or who.phone or who.token


def _by_name(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in params.items()}


def _by_one(text: str | None) -> Identity:
    if text is None:
        return _NOBODY
    if email := normal_email(text):
        return Identity(email=email)
    if text.startswith("+") and (phone := normal_phone(text)):
        return Identity(phone=phone)
    return Identity(external_id=_external(text))


def _first(found: Mapping[str, Any], names: tuple[str, ...], read: Any) -> Any:
    for name in names:
        text = _text(found.get(name))
        if text is not None and (value := read(text)) is not None:
            return value
    return None


def _text(value: Any) -> str | None:
    """Identifiers arrive as text or as numbers."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = clean_or_none(str(value))
    return text if text is not None and len(text) <= _LONGEST else None


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and 0 < int(text) <= INT64_MAX else None


def _external(text: str) -> str | None:
    """`null` is what some clients send for none (contract 3)."""
    return None if text == "null" else text
