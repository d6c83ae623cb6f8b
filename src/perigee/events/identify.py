"""Whom an event is about, read from its parameters (contract 16, "Contact of an event"). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from perigee.events.types import Identity
from perigee.lib.addresses import normal_email, normal_phone
from perigee.lib.json_edge import INT64_MAX
from perigee.lib.text import clean_or_none

_LONGEST = 300
_NOBODY = Identity()


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and 0 < int(text) <= INT64_MAX else None


def _external(text: str) -> str | None:
    """`null` is what some clients send for none (contract 3)."""
    return None if text == "null" else text


_READERS: dict[str, tuple[str, Callable[[str], int | str | None]]] = {
    "contactid": ("contact_id", _id),
    "contact_id": ("contact_id", _id),
    "externalcustomerid": ("external_id", _external),
    "email": ("email", normal_email),
    "emailaddress": ("email", normal_email),
    "useremail": ("email", normal_email),
    "contactemail": ("email", normal_email),
    "phone": ("phone", normal_phone),
    "sms": ("phone", normal_phone),
    "phonenumber": ("phone", normal_phone),
    "pushtoken": ("token", str),
    "contactkey": ("contact_key", str),
    "contact_key": ("contact_key", str),
}
"""Names in small letters: what they hold and how it is read. Of two names for one thing the earlier goes first."""

_RANK = {name: place for place, name in enumerate(_READERS)}


def identify(params: Mapping[str, Any], contact_param: str | None = None) -> Identity:
    """Names count without regard to case; a value that is no such identifier is passed over.

    `contact_param` is the one parameter that a type names instead: an email, else a phone with its `+`, else
    the caller's own id of the contact.
    """
    if contact_param is not None:
        wanted = contact_param.lower()
        return _by_one(next((_text(value) for name, value in params.items() if name.lower() == wanted), None))
    given = {small: value for name, value in params.items() if (small := name.lower()) in _READERS}
    found: dict[str, Any] = {}
    for name in sorted(given, key=_RANK.__getitem__):
        slot, read = _READERS[name]
        if (
            slot not in found
            and (text := _text(given[name])) is not None
            and (value := read(text)) is not None
        ):
            found[slot] = value
    return Identity(**found) if found else _NOBODY


def derived_key(who: Identity) -> str | None:
    """The key of an event that came without one: contract 16.1 gives the order."""
    if who.contact_id is not None:
        return str(who.contact_id)
    return who.external_id or who.email or who.phone or who.token


def _by_one(text: str | None) -> Identity:
    if text is None:
        return _NOBODY
    if email := normal_email(text):
        return Identity(email=email)
    if text.startswith("+") and (phone := normal_phone(text)):
        return Identity(phone=phone)
    return Identity(external_id=_external(text))


def _text(value: Any) -> str | None:
    """Identifiers arrive as text or as numbers."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = clean_or_none(str(value))
    return text if text is not None and len(text) <= _LONGEST else None
