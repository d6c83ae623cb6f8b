"""Language tags (ISO 639-1, RFC 5646) and names of time zones (tz database); contract section 3."""

from __future__ import annotations

import functools
import re
from zoneinfo import ZoneInfo, available_timezones

from perigee.errors import Invalid

_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?P<extended>(?:-[a-z]{3}){0,3})(?P<script>-[a-z]{4})?(?P<region>-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)"
    r"(?P<extensions>(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?)"
)
_MAX_TAG = 35  # RFC 5646, 4.4.1
_NOT_A_PLACE = ("Factory", "localtime", "posixrules")


@functools.lru_cache(maxsize=4096)
def normal_language(text: str) -> str | None:
    """`EN` → `en`, `es_ar` → `es-AR`, `zh-hant-tw` → `zh-Hant-TW`; None when it is no language tag.

    The shape is checked, not the registry: a new language needs no release of ours.
    """
    text = text.strip()
    match = (
        _TAG.fullmatch(text.replace("_", "-").lower()) if len(text) <= _MAX_TAG and text.isascii() else None
    )
    if match is None:
        return None
    script, region = match["script"] or "", match["region"] or ""
    return (
        match["language"]
        + match["extended"]
        + script.title()
        + region.upper()
        + match["variants"]
        + match["extensions"]
    )


def to_language(field: str, value: object) -> str | None:
    """The normal form of a language tag; None for null and blanks, `Invalid` for what is not one."""
    if value is None or value == "":
        return None
    tag = normal_language(value) if isinstance(value, str) else None
    if tag is None and not (isinstance(value, str) and not value.strip()):
        raise Invalid.of(field, value, "is not a language code like en or es-AR")
    return tag


def normal_time_zone(text: str) -> str | None:
    """The name as the tz database spells it (`europe/kyiv` → `Europe/Kyiv`), old names included; None when unknown."""
    return _names().get(text.strip().lower())


def to_time_zone(field: str, value: object) -> str | None:
    """The name of a time zone; None for null and blanks, `Invalid` for an unknown one."""
    if value is None or value == "":
        return None
    name = normal_time_zone(value) if isinstance(value, str) else None
    if name is None and not (isinstance(value, str) and not value.strip()):
        raise Invalid.of(field, value, "is not a time zone like Europe/Kyiv")
    return name


def zone(name: str) -> ZoneInfo:
    """The zone of a name that `normal_time_zone` gave; kept in memory by `zoneinfo`."""
    return ZoneInfo(name)


@functools.cache
def _names() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones() if name not in _NOT_A_PLACE}
