"""What an organisation says of itself: name, defaults for what callers leave out, switches of the old wire."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from perigee.accounts import store
from perigee.accounts.types import Organisation, OrganisationUpdate
from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound
from perigee.lib.languages import to_language, to_time_zone
from perigee.lib.text import clean
from perigee.lib.urls import parse_http_url
from perigee.messages import store as messages
from perigee.messages.utm import DEFAULTS, check_text, of_organisation

NAME_LENGTH = 200
ADDRESS_LENGTH = 500
URL_LENGTH = 2_000
CONFIRM_LINKS = ("confirm_url", "CONFIRM_URL", "/confirmSubscription")
"""How a message writes the link that confirms a subscription (`messages.slots`)."""
_WEB = re.compile(r"https?://[!-~]+")
_CURRENCY = re.compile(r"[A-Z]{3}")


async def get_organisation(connection: Connection, org_id: int) -> Organisation:
    name, time_zone, currency, language, settings = await store.organisation(connection, org_id)
    utm = of_organisation(settings).over(DEFAULTS)
    return Organisation(
        org_id=org_id,
        name=name,
        time_zone=time_zone,
        currency=currency,
        language=language,
        postal_address=str(settings.get("postal_address") or ""),
        always_arrays=bool(settings.get("always_arrays")),
        contact_activity=settings.get("contact_activity") is not False,
        utm=settings.get("utm") is not False,
        utm_source=utm.source or "",
        utm_medium=utm.medium or "",
        utm_campaign=utm.campaign or "",
        short_url=str(settings.get("short_url") or ""),
        double_opt_in=settings.get("double_opt_in") is not False,
        confirmation_mail=settings.get("confirmation_mail") is not False,
        confirmation_message_id=int(settings.get("confirmation_message_id") or 0),
        confirmation_redirect=str(settings.get("confirmation_redirect") or ""),
        honeypot=settings.get("honeypot") is not False,
    )


async def update_organisation(
    connection: Connection, org_id: int, change: OrganisationUpdate
) -> Organisation:
    """What is absent stays. Raises Invalid, and then nothing has changed."""
    columns: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(change).items():
        if value is msgspec.UNSET:
            continue
        if name in _COLUMNS:
            columns[name] = _COLUMNS[name](value)
        else:
            settings[name] = _SETTINGS[name](value) if name in _SETTINGS else value
    if message_id := settings.get("confirmation_message_id"):
        await _check_confirmation(connection, org_id, message_id)
    await store.update_organisation(connection, org_id, columns, settings)
    return await get_organisation(connection, org_id)


async def _check_confirmation(connection: Connection, org_id: int, message_id: int) -> None:
    try:
        message = await messages.get_message(connection, org_id, message_id, channel="email")
    except NotFound:
        raise Invalid.of("confirmation_message_id", message_id, "is not the id of an email") from None
    if not any(link in str(message.versions) for link in CONFIRM_LINKS):
        raise Invalid.of(
            "confirmation_message_id", message_id, "holds no confirmation link, such as {{ confirm_url }}"
        )


def _redirect(value: str) -> str:
    url = _text("confirmation_redirect", value, URL_LENGTH, required=False)
    if url and not _WEB.fullmatch(url):
        raise Invalid.of("confirmation_redirect", value, "must be an absolute address, http or https")
    return url


def _name(value: str) -> str:
    return _text("name", value, NAME_LENGTH, required=True)


def _postal_address(value: str) -> str:
    return _text("postal_address", value, ADDRESS_LENGTH, required=False)


def _text(field: str, value: str, length: int, *, required: bool) -> str:
    text = clean(value).strip()
    if (required and not text) or len(text) > length:
        raise Invalid.of(field, value, f"must have {'1 to' if required else 'at most'} {length} characters")
    return text


def _time_zone(value: str) -> str:
    return to_time_zone("time_zone", value) or _blank("time_zone", value)


def _currency(value: str) -> str:
    if not _CURRENCY.fullmatch(value):
        raise Invalid.of("currency", value, "must be an ISO 4217 code of three capital letters")
    return value


def _language(value: str) -> str:
    return to_language("language", value) or _blank("language", value)


def _short_url(value: str) -> str:
    """An origin: a path would cost characters in each message. '' takes the address away."""
    if not value.strip():
        return ""
    url = parse_http_url(value)
    if url is None or url.scheme != "https" or url.path_qs not in ("", "/") or url.fragment:
        raise Invalid.of("short_url", value, "must be https:// and a host, nothing behind it")
    return str(url.origin())


def _blank(field: str, value: str) -> str:
    raise Invalid.of(field, value, "must not be empty")


_SETTINGS: dict[str, Callable[[str], str]] = {
    "postal_address": _postal_address,
    "short_url": _short_url,
    "confirmation_redirect": _redirect,
    **{name: partial(check_text, name) for name in ("utm_source", "utm_medium", "utm_campaign")},
}
_COLUMNS = {"name": _name, "time_zone": _time_zone, "currency": _currency, "language": _language}
