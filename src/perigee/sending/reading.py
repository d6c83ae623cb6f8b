"""Recipients and their data as the wire writes them (contract 19). Pure.

One bad recipient fails alone: reading a list gives a `Refused` for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from perigee.contacts.clean import ID_LENGTH, TOKEN_LENGTH
from perigee.delivery.suppression import ADDRESS_KIND, WITHOUT_ADDRESS
from perigee.errors import Invalid, PerigeeError
from perigee.lib import json_edge
from perigee.lib.addresses import normal_phone, not_email, not_phone, parse_email
from perigee.lib.scalars import one_or_many, to_id, to_text
from perigee.lib.text import clean, clean_json, shorten
from perigee.messages.manage import language_code
from perigee.sending.types import Recipient, Refused

EXTERNAL_REQUEST_ID_LENGTH = 255
TEMPLATE = "TEMPLATE."


def recipients(channel: str, given: Any, *, limit: int) -> list[Recipient | Refused]:
    """Of smartsend. Raises Invalid for a list that is missing, empty or too long."""
    elements = _bounded("recipients", one_or_many(given), limit)
    return [_one(channel, element) for element in elements]


def locators(
    field: str,
    channel: str,
    given: Any,
    *,
    limit: int,
    external_request_id: str | None = None,
    data: str | None = None,
) -> list[Recipient | Refused]:
    """Bare addresses, what is said beside them holding for all. Raises as `recipients` does."""
    found: list[Recipient | Refused] = []
    for element in _bounded(field, one_or_many(given), limit):
        members = element if isinstance(element, dict) else {"locator": element}
        one = _one(channel, members)
        if isinstance(one, Recipient):
            one = one._replace(
                external_request_id=one.external_request_id or external_request_id, data=one.data or data
            )
        found.append(one)
    return found


def _bounded(field: str, elements: Sequence[Any], limit: int) -> Sequence[Any]:
    if not elements:
        raise Invalid(f"{field}: is required", field=field)
    if len(elements) > limit:
        raise Invalid(f"{field}: {len(elements)} are more than {limit}, the most for one call", field=field)
    return elements


def _one(channel: str, element: Any) -> Recipient | Refused:
    if not isinstance(element, Mapping):
        element = {"locator": element}
    shown = _shown(element)
    try:
        named = _named(channel, element, shown)
        return named._replace(
            external_request_id=to_text(
                "externalRequestId", element.get("externalRequestId"), limit=EXTERNAL_REQUEST_ID_LENGTH
            ),
            language=language_code(to_text("languageCode", element.get("languageCode"))),
            data=json_param(element.get("jsonParam")),
        )
    except PerigeeError as error:
        return Refused(shown, error.message)


def _shown(element: Mapping[str, Any]) -> str:
    for name in ("locator", "email", "contactId", "externalCustomerId"):
        value = element.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return shorten(clean(str(value)).strip(), TOKEN_LENGTH)
    return ""


def _named(channel: str, element: Mapping[str, Any], shown: str) -> Recipient:
    if (contact_id := to_id("contactId", element.get("contactId"))) is not None:
        return Recipient(shown, "contact", str(contact_id))
    external_id = to_text("externalCustomerId", element.get("externalCustomerId"), limit=ID_LENGTH)
    if external_id is not None:
        return Recipient(shown, "external", external_id)
    located = element.get("locator")
    if located is None:
        located = element.get("email")  # its name in old clients
    locator = to_text("locator", located, limit=TOKEN_LENGTH)
    if locator is None:
        raise Invalid("one of contactId, externalCustomerId and locator is required", field="recipients")
    return _located(channel, locator)


def _located(channel: str, locator: str) -> Recipient:
    """An address of the channel. Some have none of their own: whatever finds the person is taken."""
    kind = ADDRESS_KIND.get(channel)
    if kind == "email" or (channel in WITHOUT_ADDRESS and "@" in locator):
        email = parse_email(locator)
        if email is None:
            raise not_email(locator, "locator")
        return Recipient(locator, "email", email.normal, email.spelling)
    phone = normal_phone(locator) if kind == "phone" or channel in WITHOUT_ADDRESS else None
    if phone is not None:
        return Recipient(locator, "phone", phone)
    if kind == "phone":
        raise not_phone(locator, "locator")
    if not locator.isascii():
        raise Invalid.of("locator", locator, "is not a token")
    return Recipient(locator, "token", locator)


def json_param(value: Any) -> str | None:
    """`jsonParam`, JSON as a string or an object, as JSON text; None for null and blanks. Raises Invalid."""
    if isinstance(value, str):
        if not value.strip():
            return None
        try:
            value = json_edge.decode(value.encode("utf-8", "replace"))
        except Invalid as error:
            raise Invalid(
                f"jsonParam: {error.message.removeprefix('the body ')}", field="jsonParam"
            ) from None
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Invalid.of("jsonParam", value, "must be a JSON object")
    return json_edge.encode(clean_json(value)).decode() if value else None


def params(value: Any) -> str | None:
    """`params` of the old form as JSON text: `%TEMPLATE.name%` reads `name`. Raises Invalid."""
    data: dict[str, str] = {}
    for element in one_or_many(value):
        if not isinstance(element, Mapping):
            raise Invalid.of("params", element, "must be an object with key and value")
        key = to_text("params.key", element.get("key"), limit=300)
        if key is None:
            raise Invalid("params.key: is required", field="params")
        data[key.removeprefix(TEMPLATE)] = to_text("params.value", element.get("value"), lines=True) or ""
    return json_edge.encode(data).decode() if data else None


def of_contacts(contact_ids: Iterable[int], **given: str | None) -> list[Recipient | Refused]:
    """The people of a segment."""
    return [Recipient(str(contact_id), "contact", str(contact_id), **given) for contact_id in contact_ids]
