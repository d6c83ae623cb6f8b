"""The parameter `contactJson` of an event (contract 16, "Special parameters"). Pure.

Only checked here: what it holds is read by the workflow that the event starts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from perigee.errors import Invalid
from perigee.lib import json_edge
from perigee.lib.addresses import normal_phone
from perigee.lib.languages import normal_language, normal_time_zone
from perigee.lib.names import name_problem
from perigee.lib.scalars import one_or_many, to_bool, to_id, to_text

NAME_LENGTH = 60
"""The event page allows 60 characters where the contact has 40 (contract 24)."""
VALUE_LENGTH = 5000

Check = Callable[[str, Any], object]
"""Takes the member's name and value; raises Invalid."""


def check_contact_json(value: Any) -> None:
    """An object or its JSON text. Raises one Invalid that lists every bad field with its reason."""
    if isinstance(value, str):
        try:
            value = json_edge.decode(value.encode())
        except Invalid as error:
            raise Invalid(f"contactJson: {error.message}", field="contactJson") from None
    if value is None:
        return
    if not isinstance(value, dict):
        raise Invalid("contactJson: is not an object", field="contactJson")
    if reasons := [
        reason for name, check in _CHECKS.items() if (reason := _reason(check, name, value.get(name)))
    ]:
        raise Invalid("contactJson: " + "; ".join(reasons), field="contactJson")


def _reason(check: Check, name: str, value: Any) -> str | None:
    try:
        check(name, value)
    except Invalid as error:
        return error.message
    return None


def _name(first: bool) -> Check:
    def check(name: str, value: Any) -> None:
        text = to_text(name, value)
        if text is not None and (problem := name_problem(text, NAME_LENGTH, count_words=first)):
            raise Invalid.of(name, text, problem)

    return check


def _town(name: str, value: Any) -> None:
    to_text(name, value, limit=255)


def _known(read: Callable[[str], str | None], rule: str) -> Check:
    def check(name: str, value: Any) -> None:
        text = to_text(name, value)
        if text is not None and read(text) is None:
            raise Invalid.of(name, text, rule)

    return check


def _inputs(name: str, value: Any) -> None:
    for index, item in enumerate(one_or_many(value)):
        path = f"{name}[{index}]"
        if not isinstance(item, dict):
            raise Invalid(f"{path}: is not an object", field=path)
        if to_id(f"{path}.profileInputId", item.get("profileInputId")) is None:
            raise Invalid(f"{path}.profileInputId: is required", field=path)
        to_text(f"{path}.value", item.get("value"), limit=VALUE_LENGTH, lines=True)


_CHECKS: dict[str, Check] = {
    "firstname": _name(first=True),
    "lastname": _name(first=False),
    "sms": _known(normal_phone, "is not valid phone number"),
    "town": _town,
    "timeZone": _known(normal_time_zone, "is not a time zone like Europe/Kyiv"),
    "languageCode": _known(normal_language, "is not a language code like en"),
    "profileInputs": _inputs,
    "confirmed": to_bool,
}
