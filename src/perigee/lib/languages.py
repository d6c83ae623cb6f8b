"""Language codes (RFC 5646 in its common shapes) and time zone names (tz database)."""

from __future__ import annotations

import re
import zoneinfo
from functools import cache, lru_cache

_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?")


@lru_cache(maxsize=4096)
def normal_language(code: str) -> str | None:
    """`uk`, `es-AR`, `zh-Hant-TW` in their normal case; `en_UK` is taken too. None: not a language code."""
    match = _TAG.fullmatch(code.strip()) if len(code) <= 20 else None
    if match is None:
        return None
    language, script, region = match.groups()
    parts = [language.lower()]
    if script:
        parts.append(script.title())
    if region:
        parts.append(region.upper())
    return "-".join(parts)


@cache
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in zoneinfo.available_timezones()}


def normal_time_zone(name: str) -> str | None:
    """The tz database's spelling, or None: no such zone."""
    return _zones().get(name.strip().casefold())
