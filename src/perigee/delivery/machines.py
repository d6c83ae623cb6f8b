"""Opens and clicks that no person made: mail programs that fetch ahead, security scanners that follow every link. Pure.

Such hits are kept raw, with the reason as `machine` in `activity.meta`, and left out of figures and segments. Reasons:

    head      a HEAD request, which no browser makes of a link
    agent     a program by its own name, or none
    prefetch  an open of Apple's mail privacy protection, which loads every picture ahead
    network   an address range of the setting `machine_networks`
    early     a click less than `EARLY` after the delivery (email and SMS; a push is tapped when it appears)
    burst     three or more links of one message within a second
    trap      the link that nobody sees was followed; so are all hits of that message within a minute of it

Gmail's and Yahoo's picture proxies fetch when a person opens: their hits count, though place and device are unknown.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from perigee.lib.public_addresses import Network
from perigee.site.bots import is_bot

EARLY = timedelta(seconds=2)
BURST = timedelta(seconds=1)
BURST_LINKS = 3
TRAP_WINDOW = timedelta(seconds=60)

USER_AGENT_MOST = 1024
"""Characters of a user agent that are looked at."""

_PICTURE_PROXY = re.compile(r"GoogleImageProxy|YahooMailProxy", re.IGNORECASE)
_PREFETCH = "Mozilla/5.0"
"""All that Apple's proxies say of themselves."""
_PROGRAM = re.compile(
    r"barracuda|mimecast|proofpoint|safelinks|symantec|trendmicro|trend micro|fireeye|ironport|sophos|forcepoint|"
    r"cloudmark|messagelabs|zscaler|virustotal|urlscan|bitdefender|^curl/|^wget/|^python-(?!httpx)|^aiohttp|^java/|"
    r"^go-http-client|^okhttp/|^ruby|^libwww|^php|^apache-httpclient|^axios/|^node-fetch|headlesschrome|phantomjs",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def _is_program(user_agent: str) -> bool:
    """Some thousand user agents make nearly all hits; two long patterns take longer than the rest of a click."""
    return not user_agent.strip() or _PROGRAM.search(user_agent) is not None or is_bot(user_agent)


def by_proxy(user_agent: str) -> bool:
    """A person's open, fetched by a mail service."""
    return _PICTURE_PROXY.search(user_agent) is not None


def known_at_once(
    *, method: str, user_agent: str, address: str, networks: Sequence[Network], opened: bool
) -> str | None:
    """The reason that the request alone gives. `opened`: an open, not a click."""
    if method == "HEAD":
        return "head"
    if by_proxy(user_agent):
        return None
    if opened and user_agent.strip() == _PREFETCH:
        return "prefetch"
    if _is_program(user_agent[:USER_AGENT_MOST]):
        return "agent"
    return "network" if _within(address, networks) else None


def _within(address: str, networks: Sequence[Network]) -> bool:
    if not networks:
        return False
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip.version == network.version and ip in network for network in networks)


def too_early(channel: str, at: datetime, delivered_at: datetime | None) -> bool:
    """Of a click."""
    return channel in ("email", "sms") and delivered_at is not None and at - delivered_at < EARLY


def is_burst(links: Collection[int]) -> bool:
    """Of the different links of one message that were clicked within `BURST`."""
    return len(links) >= BURST_LINKS
