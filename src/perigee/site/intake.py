"""Bodies of the tracker, cleaned (TRACKING 2.1 to 2.3). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from perigee.errors import Invalid
from perigee.events.identify import identify
from perigee.events.types import Identity
from perigee.lib.scalars import to_int, to_text
from perigee.lib.text import clean_json
from perigee.site.translate import translate
from perigee.site.types import Tracked

VISITOR_LENGTH = 100
PRODUCT_UPDATE = "ProductUpdate"
LATE = timedelta(days=7)
EARLY = timedelta(minutes=5)
"""Clocks of browsers and servers are wrong: a moment beyond these counts as now."""

_LOG_MEMBERS = ("typeCMS", "log_level", "errorMessage")
_IDENTITY = {
    "externalCustomerId": "externalCustomerId",
    "user_client_id": "externalCustomerId",
    "user_card_id": "externalCustomerId",
    "user_email": "email",
    "user_phone": "phone",
    "user_es_contact_id": "contactId",
}
"""The only members that say who somebody is, and what the events of the API call them."""


def read_body(given: Any) -> dict[str, Any]:
    """The object that every body is, its texts cleaned. Raises Invalid."""
    if not isinstance(given, dict):
        raise Invalid("body: must be a JSON object", field="body")
    cleaned = clean_json(given)
    assert isinstance(cleaned, dict)
    return cleaned


def is_log_record(body: Mapping[str, Any]) -> bool:
    """Whether a plugin reports about itself (2.3). Such records can hold personal data and secrets."""
    return "GeneralInfo" not in body and any(name in body for name in _LOG_MEMBERS)


def general_info(body: Mapping[str, Any]) -> dict[str, Any]:
    """`GeneralInfo`, with what may stand inside the event's own member. Raises Invalid."""
    outer = _object("GeneralInfo", body["GeneralInfo"])
    name = event_name(outer)
    data = body.get(name)
    inner = data.get("GeneralInfo") if isinstance(data, dict) else None
    merged = {**_object(f"{name}.GeneralInfo", inner), **outer} if inner else outer
    return {**data, **merged} if name == "CustomerData" and isinstance(data, dict) else merged


def event_name(general: Mapping[str, Any]) -> str:
    name = to_text("GeneralInfo.eventName", general.get("eventName"), limit=100)
    if name is None:
        raise Invalid("GeneralInfo.eventName: is required", field="GeneralInfo.eventName")
    return name


def site_id(general: Mapping[str, Any]) -> str:
    found = to_text("GeneralInfo.siteId", general.get("siteId"), limit=100)
    if found is None:
        raise Invalid("GeneralInfo.siteId: is required", field="GeneralInfo.siteId")
    return found


def refuses_tracking(general: Mapping[str, Any]) -> bool:
    """The visitor has not agreed (`consent` false): nothing of the body may be kept."""
    return general.get("consent") in (False, "false", 0, "0")


def event(body: Mapping[str, Any], general: Mapping[str, Any], now: datetime) -> Tracked:
    """Raises Invalid: an unknown event, a bad member, nobody to whom the event could belong."""
    translated = translate(event_name(general), {**body, "GeneralInfo": general})
    cookies = _object("GeneralInfo.cookies", general.get("cookies"))
    visitor = to_text("GeneralInfo.cookies.sc", cookies.get("sc"), limit=VISITOR_LENGTH)
    who = identity(general)
    if visitor is None and who == Identity():
        raise Invalid(
            "GeneralInfo.cookies.sc: is required, or a member that says who it is",
            field="GeneralInfo.cookies.sc",
        )
    return Tracked(
        visitor_id=visitor,
        who=who,
        occurred_at=moment(general.get("datetime"), now),
        type_key=translated.type_key,
        event_key=translated.key or visitor,
        params=translated.params,
        once=translated.once,
    )


def webcontact(body: Mapping[str, Any], now: datetime) -> tuple[int, Tracked]:
    """The organisation and the binding of a visitor to a contact (2.3). Raises Invalid."""
    visitor = to_text("webId", body.get("webId"), limit=VISITOR_LENGTH)
    org_id = to_int("orgId", body.get("orgId"))
    if visitor is None:
        raise Invalid("webId: is required", field="webId")
    if org_id is None:
        raise Invalid("orgId: is required", field="orgId")
    names = ("externalCustomerId", "email", "phone")
    return org_id, Tracked(visitor, identify({name: body.get(name) for name in names}), now)


def identity(general: Mapping[str, Any]) -> Identity:
    """Who a body says the visitor is. A value that is no such identifier is passed over: the event still counts."""
    found: dict[str, Any] = {}
    for name, known in _IDENTITY.items():
        if found.get(known) in (None, "", " "):
            found[known] = general.get(name)
    return identify(found)


def moment(value: Any, now: datetime) -> datetime:
    """`datetime` in milliseconds since 1970; now when it is absent or cannot be right."""
    try:
        milliseconds = to_int("GeneralInfo.datetime", value)
        if milliseconds is None:
            return now
        given = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (Invalid, ValueError, OverflowError, OSError):
        return now
    return given if now - LATE <= given <= now + EARLY else now


def _object(field: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid(f"{field}: must be an object", field=field)
    return value
