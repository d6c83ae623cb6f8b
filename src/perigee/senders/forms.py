"""How a sender is written, per channel. Pure."""

from __future__ import annotations

from perigee.errors import Invalid
from perigee.lib.addresses import normal_email
from perigee.lib.text import clean_or_none, is_header_safe
from perigee.messages.validate import check_email_sender, check_sms_sender
from perigee.messages.version import parse_sender

VIBER_LENGTH = 28


def normal(channel: str, value: str, *, field: str = "value") -> str:
    """The one form in which a sender is stored and shown: `"Name" <address>`, or a name. Raises Invalid."""
    if not is_header_safe(value):
        raise Invalid.of(field, value, "must be one line without control characters")
    text = clean_or_none(value)
    if text is None:
        raise Invalid(f"{field}: is required", field=field)
    if channel == "email":
        return _email(text, field)
    if channel == "sms":
        check_sms_sender(field, text)
    elif len(text) > VIBER_LENGTH:
        raise Invalid.of(field, text, f"is longer than {VIBER_LENGTH} characters")
    return text


def same_origin(channel: str, value: str) -> str:
    """What two senders have in common that may be used for each other: the address of an email, else the text."""
    if channel != "email":
        return value.strip()
    address = parse_sender(value)[1]
    return normal_email(address) or address.lower()


def _email(text: str, field: str) -> str:
    name, address = parse_sender(text, field)
    name = name.strip()
    if not name:
        raise Invalid.of(field, text, 'must have the form "Name" <address>')
    check_email_sender(field, name, address)
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>'
