"""Visitors that are programs: what they look at says nothing about people."""

from __future__ import annotations

import re

_BOT = re.compile(
    r"(?<!cu)bot(?![a-z])|crawler|spider|slurp|headless|lighthouse|phantomjs|prerender|pingdom|gtmetrix|"
    r"facebookexternalhit|whatsapp/|skypeuripreview|mediapartners|uptime",  # Cubot makes telephones
    re.IGNORECASE,
)


def is_bot(user_agent: str) -> bool:
    """By name. Servers of shops (WordPress, Guzzle, node) report for people and are none. Pure."""
    return _BOT.search(user_agent) is not None
