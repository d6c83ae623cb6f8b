"""What recipients do with a message: their mail program loads its pictures, they follow a link, they unsubscribe.

Everything needed is found in the message itself, as a mail program would find it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from types import TracebackType
from typing import NamedTuple, Self

import aiohttp

from perigee.delivery.channels.sandbox.types import SandboxLetter

_MAIL_PROGRAM = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0"
_IN_HEADER = re.compile(r"<(https?://[^<>\s]+)>")


class Found(NamedTuple):
    """Addresses in a message, in their order. `one_click` is that of RFC 8058, None without its two headers."""

    pictures: list[str]
    links: list[str]
    one_click: str | None


def find(letter: SandboxLetter) -> Found:
    finder = _Finder()
    finder.feed(letter.html)
    headers = {name.lower(): value for name, value in letter.headers}
    return Found(finder.pictures, finder.links, _one_click(headers))


def _one_click(headers: Mapping[str, str]) -> str | None:
    if headers.get("list-unsubscribe-post", "").replace(" ", "") != "List-Unsubscribe=One-Click":
        return None
    found = _IN_HEADER.search(headers.get("list-unsubscribe", ""))
    return found[1] if found else None


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "img" and (source := given.get("src")):
            self.pictures.append(source)
        elif tag == "a" and (target := given.get("href")):
            self.links.append(target)


class Recipients:
    """The mail programs of all recipients. Each method says whether the server answered as it must."""

    def __init__(self, server: str) -> None:
        """Only addresses of `server` are called: the shop behind the links does not exist."""
        self._server = server + "/"
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": _MAIL_PROGRAM}, cookie_jar=aiohttp.DummyCookieJar()
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def open(self, found: Found) -> bool:
        """Loads the pictures."""
        ours = [picture for picture in found.pictures if picture.startswith(self._server)]
        answers = [await self._get(picture) for picture in ours]
        return bool(ours) and all(status == 200 for status, _ in answers)

    async def click(self, found: Found) -> str | None:
        """Follows the first link. Returns where it leads, None when it leads nowhere."""
        ours = [link for link in found.links if link.startswith(self._server)]
        if not ours:
            return None
        status, target = await self._get(ours[0])
        return target if status in (301, 302, 303, 307) else None

    async def unsubscribe(self, found: Found) -> bool:
        """Presses the button that the mail program shows (RFC 8058)."""
        if found.one_click is None or not found.one_click.startswith(self._server):
            return False
        async with self._session.post(
            found.one_click, data={"List-Unsubscribe": "One-Click"}, allow_redirects=False
        ) as response:
            await response.read()
            return response.status == 200

    async def _get(self, url: str) -> tuple[int, str | None]:
        async with self._session.get(url, allow_redirects=False) as response:
            await response.read()
            return response.status, response.headers.get("Location")
