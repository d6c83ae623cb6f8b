"""A client that brings its own HTTP/1.1: what it sends is what a test writes, what it reads are the bytes of the answer.

Clients that are to be kept working look at the very line: the spelling of a header's name, whether there is a body.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


def basic(user: str, password: str) -> str:
    """The value of `Authorization`."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came. `headers`: names spelt as on the line."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    def any_case(self, name: str) -> str | None:
        """A header as clients find it that know that case does not matter."""
        return {key.lower(): value for key, value in self.headers.items()}.get(name.lower())


class Line:
    """Calls of `host`, one connection each. `headers` go with every call; those of a call replace them."""

    def __init__(self, host: str, **headers: str) -> None:
        self._address = urlsplit(host)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    async def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """`path` goes out as it is."""
        sent = {"Host": self._address.netloc, **self.headers, **(headers or {}), "Connection": "close"}
        if body is not None:
            sent["Content-Length"] = str(len(body))
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + (body or b""))
            await writer.drain()
            return _reply(await reader.read())
        finally:
            writer.close()
            await writer.wait_closed()


def _reply(answer: bytes) -> Reply:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert "transfer-encoding" not in {name.lower() for name in headers}, "the body is in chunks"
    return Reply(int(first.split(" ")[1]), headers, body)
