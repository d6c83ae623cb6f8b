"""The wire's events of v1, v2 and v3, cleaned (contract 16.1–16.3). Pure.

Every version takes `params` as an array of name and value or as an object, so nothing is lost.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from perigee.errors import Invalid
from perigee.events.contact_json import check_contact_json
from perigee.events.identify import derived_key, identify
from perigee.events.keys import PARAMETER_LENGTH, check_event_key, check_type_key
from perigee.events.types import Identity
from perigee.lib.scalars import to_text
from perigee.lib.text import clean_json


class EventIn(msgspec.Struct, rename="camel"):
    """Body of POST event. Old clients write `parameters`, and null for what they do not know."""

    event_type_key: Any = None
    key_value: Any = None
    params: Any = None
    parameters: Any = None


class CleanEvent(NamedTuple):
    type_key: str
    event_key: str | None
    """None = not given and not to be had from the usual parameters; a type may still name its own."""
    params: dict[str, Any]
    who: Identity
    occurred_at: datetime | None = None
    """None = the moment it is recorded."""


def clean(event: EventIn, version: int) -> CleanEvent:
    """Raises Invalid: no type key, a forbidden character, a parameter without a name or twice, a bad `contactJson`."""
    type_key = to_text("eventTypeKey", event.event_type_key)
    if type_key is None:
        raise Invalid("eventTypeKey: is required", field="eventTypeKey")
    params = clean_params(event.parameters if event.params is None else event.params, version)
    who = identify(params)
    key = to_text("keyValue", event.key_value)
    if "contactJson" in params:
        check_contact_json(params["contactJson"])
    return CleanEvent(
        type_key=check_type_key(type_key),
        event_key=derived_key(who) if key is None else check_event_key(key),
        params=params,
        who=who,
    )


def clean_params(params: Any, version: int) -> dict[str, Any]:
    """Values by name. Of a name given twice the later value counts in v1; v2 refuses it."""
    if params is None:
        return {}
    if isinstance(params, dict) and not (version < 3 and _is_pair(params)):
        pairs = list(params.items())
    else:
        pairs = [
            _pair(index, item) for index, item in enumerate(params if isinstance(params, list) else [params])
        ]
    found: dict[str, Any] = {}
    for given, value in pairs:
        name = to_text("params.name", given, limit=PARAMETER_LENGTH)
        if name is None:
            raise Invalid("params.name: is required", field="params.name")
        if version == 2 and name in found:
            raise Invalid.of("params.name", name, "is given twice")
        found[name] = clean_json(value)
    return found


def _is_pair(item: dict[str, Any]) -> bool:
    """One element where an array of them is meant (contract 3)."""
    return item.keys() == {"name", "value"} and isinstance(item["name"], str)


def _pair(index: int, item: Any) -> tuple[Any, Any]:
    if not isinstance(item, dict) or "name" not in item or "value" not in item:
        path = f"params[{index}]"
        raise Invalid(f"{path}: must have the members name and value", field=path)
    return item["name"], item["value"]
