"""Browser and system of a User-Agent header, as far as `webPushSubscription` tells them (contract 7.1). Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_BROWSERS = (
    ("Edge", re.compile(r"Edg(?:A|iOS)?/([0-9.]+)")),
    ("Opera", re.compile(r"OPR/([0-9.]+)")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/([0-9.]+)")),
    ("Yandex", re.compile(r"YaBrowser/([0-9.]+)")),
    ("Firefox", re.compile(r"(?:Firefox|FxiOS)/([0-9.]+)")),
    ("Chrome", re.compile(r"(?:Chrome|CriOS)/([0-9.]+)")),
    ("Safari", re.compile(r"Version/([0-9.]+).* Safari/")),
)
"""In this order: most claim to be Chrome and Safari as well."""

_SYSTEMS = (
    ("Android", re.compile("Android")),
    ("iOS", re.compile("iPhone|iPad|iPod")),
    ("Windows", re.compile("Windows")),
    ("macOS", re.compile("Mac OS X|Macintosh")),
    ("ChromeOS", re.compile("CrOS")),
    ("Linux", re.compile("Linux")),
)


class Agent(NamedTuple):
    browser: str | None
    version: str | None
    os: str | None


def parse(header: str) -> Agent:
    found = next(
        ((name, match[1]) for name, form in _BROWSERS if (match := form.search(header))), (None, None)
    )
    system = next((name for name, form in _SYSTEMS if form.search(header)), None)
    return Agent(found[0], None if found[1] is None else found[1][:20], system)
