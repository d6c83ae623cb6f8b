"""What a User-Agent header says of a device, as reports group it."""

from __future__ import annotations

from functools import lru_cache

from ua_parser import parse

from perigee.delivery.machines import by_proxy

MAX_HEADER = 1_024
"""Characters that are looked at: a header is hostile input, and reading one costs by its length."""
_TABLETS = ("ipad", "tablet", "kindle", "tab ", "galaxy tab")
_MOBILE_SYSTEMS = frozenset({"iOS", "Android", "Windows Phone", "KaiOS", "BlackBerry OS"})


@lru_cache(maxsize=4_096)
def device_of(user_agent: str) -> dict[str, str]:
    """`device` (desktop, mobile or tablet), `client` (program or browser) and `os`; what is not known is missing. Callers
    cut the header to `MAX_HEADER` first. Not to be changed: remembered."""
    if not user_agent or by_proxy(user_agent):
        return {}
    found = parse(user_agent)
    client = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    members = {"device": _kind(user_agent.lower(), system), "client": client, "os": system}
    return {name: value[:60] for name, value in members.items() if value and value != "Other"}


def _kind(user_agent: str, system: str) -> str:
    if not system or system == "Other":
        return ""
    if any(word in user_agent for word in _TABLETS) or (
        "android" in user_agent and "mobile" not in user_agent
    ):
        return "tablet"
    return "mobile" if system in _MOBILE_SYSTEMS else "desktop"
