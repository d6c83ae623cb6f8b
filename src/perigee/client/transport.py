"""One server, one key: requests, retries, typed answers.

What is tried again: a broken connection where the call may be repeated, and the answers 429 and 503, which say that
nothing was done and, in `Retry-After`, when to come back. What creates or sends something in `/api/v4` carries an
`Idempotency-Key`, so that the server does it once however often we ask.
"""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any, TypeVar

import aiohttp
import msgspec

from perigee.client.errors import ApiError, ClientError, Unreachable

T = TypeVar("T")

PIECE = 256 * 1024
_REPEATABLE = frozenset({"GET", "PUT", "DELETE", "HEAD"})
_COME_BACK = frozenset({429, 503})


@dataclass(frozen=True)
class Patience:
    """`tries` per call; pauses double from `first_pause` seconds, and none is longer than `longest_pause`.

    A server that asks for a longer pause than that is not waited for: the call ends with its answer.
    """

    tries: int = 5
    first_pause: float = 0.2
    longest_pause: float = 60
    timeout: float = 120
    """Seconds for one try."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Opens its connections with the first call; `close` ends them."""

    def __init__(
        self, url: str, key: str, *, patience: Patience | None = None, connections: int = 16
    ) -> None:
        """`url`: where the server is, without `/api`. Raises ClientError for one that is no http(s) address."""
        url = url.strip().rstrip("/").removesuffix("/api")
        if not url.startswith(("http://", "https://")):
            raise ClientError(f"'{url}' is not an address of a server: it begins with http:// or https://")
        self.url = url
        self._authorization = aiohttp.encode_basic_auth("client", key, "utf-8")
        self._patience = patience or Patience()
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self,
        method: str,
        path: str,
        answer: Callable[[Reply], T],
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        repeatable: bool = False,
    ) -> T:
        """The answer of one method. `path` begins with `/api`; members of `query` that are None are left out.

        `repeatable`: a POST of the old wire that does no more when it is done twice, so that a broken connection
        is no reason to give up. Raises ApiError, Unreachable.
        """
        headers = _headers(method, path, has_body=body is not None)
        may_repeat = repeatable or method in _REPEATABLE or "Idempotency-Key" in headers
        broken = False
        content = None if body is None else msgspec.json.encode(body)
        parameters = {name: _text(value) for name, value in (query or {}).items() if value is not None}
        for attempt in range(self._patience.tries):
            last = attempt + 1 == self._patience.tries
            try:
                reply = await self._once(method, path, parameters, headers, content)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                # A connection that was never made carried no request.
                if last or not (may_repeat or isinstance(error, aiohttp.ClientConnectorError)):
                    raise Unreachable(self._why(error)) from error
                broken = True
                await asyncio.sleep(self._pause(attempt))
                continue
            if reply.status < 400:
                return self._read(reply, answer)
            pause = self._pause(attempt, reply.headers.get("Retry-After"))
            # 409 after a broken connection: the server is still at what we asked before.
            waits = reply.status in _COME_BACK or (broken and reply.status == 409)
            if not waits or last or pause > self._patience.longest_pause:
                raise ApiError.of(reply.status, reply.body)
            await asyncio.sleep(pause)
        raise AssertionError("a try either returns or raises")

    async def upload(
        self, path: str, file: IO[bytes], answer: Callable[[Reply], T], *, query: Mapping[str, str]
    ) -> T:
        """POSTs a file, which is read piece by piece, from where it stands: one try, of any length. Raises as `call`."""
        kept_open = aiohttp.ClientTimeout(total=None, sock_read=self._patience.timeout)
        headers = {"Content-Type": "application/octet-stream"}
        try:
            reply = await self._once("POST", path, query, headers, _pieces(file), limits=kept_open)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(self._why(error)) from error
        if reply.status >= 400:
            raise ApiError.of(reply.status, reply.body)
        return self._read(reply, answer)

    async def save(self, path: str, file: IO[bytes]) -> int:
        """Writes an answer of any size to the file; returns its bytes. Not tried again once it has begun.

        Raises ApiError, Unreachable.
        """
        silence = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=self._patience.timeout)
        size = 0
        try:
            async with self._opened().get(
                self.url + path, timeout=silence, allow_redirects=False
            ) as response:
                if response.status >= 300:
                    raise ApiError.of(response.status, await response.read())
                async for chunk in response.content.iter_chunked(PIECE):
                    size += file.write(chunk)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(self._why(error)) from error
        return size

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                timeout=aiohttp.ClientTimeout(total=self._patience.timeout),
                headers={"Authorization": self._authorization, "Accept": "application/json"},
            )
        return self._session

    async def _once(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str],
        headers: Mapping[str, str],
        content: bytes | AsyncIterator[bytes] | None,
        limits: aiohttp.ClientTimeout | None = None,
    ) -> Reply:
        session = self._opened()
        async with session.request(
            method,
            self.url + path,
            params=parameters,
            data=content,
            headers=headers,
            allow_redirects=False,
            timeout=limits or session.timeout,
        ) as response:
            return Reply(response.status, response.headers, await response.read())

    def _read(self, reply: Reply, answer: Callable[[Reply], T]) -> T:
        if reply.status >= 300:
            raise Unreachable(f"{self.url} redirects elsewhere; give the address it redirects to")
        try:
            return answer(reply)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unreachable(f"{self.url} does not answer like a Perigee server: {error}") from error

    def _pause(self, attempt: int, asked: str | None = None) -> float:
        """What the server asked for, else a doubling pause with some chance, so that many clients spread."""
        if asked is not None and asked.strip().isdecimal():
            return float(asked)
        longest = min(self._patience.first_pause * 2.0**attempt, self._patience.longest_pause)
        return longest * random.uniform(0.5, 1)  # noqa: S311  # no secret

    def _why(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"{self.url} gave no answer within {self._patience.timeout:g} seconds"
        if isinstance(error, aiohttp.ClientConnectorError):
            number = error.os_error.errno or 0  # negative: the name could not be looked up
            reason = os.strerror(number) if number > 0 else error.os_error.strerror
            return f"no server answers at {self.url}: {reason or error.os_error}"
        return f"the connection to {self.url} broke: {str(error) or type(error).__name__}"


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, PIECE):
        yield piece


def json(kind: type[T]) -> Callable[[Reply], T]:
    """Reads an answer of this type; members that the type does not know are ignored."""
    decoder = msgspec.json.Decoder(kind)
    return lambda reply: decoder.decode(reply.body)


def nothing(_: Reply) -> None:
    """For methods that answer with a sentence, or not at all."""


def _headers(method: str, path: str, *, has_body: bool) -> dict[str, str]:
    headers = {"Content-Type": "application/json"} if has_body else {}
    if method == "POST" and path.startswith("/api/v4/"):
        headers["Idempotency-Key"] = str(uuid.uuid4())
    return headers


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | set):
        return ",".join(map(str, value))
    return str(value)
