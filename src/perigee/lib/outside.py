"""The one HTTP client for addresses that other people give us (reliability 31).

A caller's link must not become a way into the operator's network. So, whatever the link says:

- http and https only, on ports that the rules name, no proxy and no `.netrc` from our environment, no cookies;
- a name is looked up once; when one of its addresses is not public (`public_addresses`), nothing is connected to;
- the connection goes to one of the addresses that were judged, and the last thing before it is opened is judged
  again: an address written into the link, or a name that changes its answer, has no way around;
- only downloads follow redirects, a few, each judged like the first link; a user name and password go to the origin
  they were given for and nowhere else;
- size (after unpacking), silence and total time are bounded; an answer that breaks off is an error.

Errors are `Invalid` of the field that held the link and never show more of it than scheme, host and path.
"""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import IO, Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from perigee.errors import Invalid
from perigee.lib.public_addresses import Network, is_public, parse_networks, parse_ports
from perigee.lib.urls import parse_http_url

MB: Final = 1024 * 1024
REDIRECTS: Final = 5
"""Most that a download follows; file services need two or three."""

_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_CHUNK: Final = 256 * 1024
_USER_AGENT: Final = "Perigee"


class Unreachable(Invalid):
    """Nobody answered, or not to the end: the same link may work later."""


class NoAnswer(Unreachable):
    """The request may have arrived and been worked on: only what does no harm twice is sent again."""


class _Refused(OSError):
    """An address that is not public. An OSError, so that the HTTP client hands it on as a failed connection."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Where links may lead. `ports` None: any."""

    networks: tuple[Network, ...] = ()
    """Not public, but allowed: shops on the operator's own network."""
    ports: frozenset[int] | None = frozenset({80, 443, 8080, 8443})

    @classmethod
    def of(cls, networks: str, ports: str) -> Rules:
        """From the settings `outside_networks` and `outside_ports`. Raises ValueError."""
        return cls(parse_networks(networks), parse_ports(ports))


@dataclass(frozen=True, slots=True)
class Limits:
    """`size` in bytes after unpacking; times in seconds. `idle`: silence on a connection, and a connection's opening."""

    size: int
    total: float = 60.0
    idle: float = 15.0


class Reply:
    """An answer whose body is still on its way."""

    def __init__(self, link: str, field: str, limits: Limits, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._link = link
        self._field = field
        self._limits = limits
        self._response = response

    def require_ok(self) -> None:
        """Raises Invalid unless the status is 200, Unreachable for one that may be another tomorrow."""
        if self.status != 200:
            passing = self.status in (408, 425, 429) or self.status >= 500
            kind = Unreachable if passing else Invalid
            raise kind.of(self._field, self._link, f"answers with the status {self.status}, not 200")

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, unpacked. Raises Invalid when it is larger than the limit."""
        if (self._response.content_length or 0) > self._limits.size:
            raise self._too_large()
        size = 0
        async for chunk in self._response.content.iter_chunked(_CHUNK):
            size += len(chunk)
            if size > self._limits.size:
                raise self._too_large()
            yield chunk

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self.chunks()])

    def _too_large(self) -> Invalid:
        most = self._limits.size
        shown = f"{most // MB} MB" if most >= MB else f"{most} bytes"
        return Invalid.of(self._field, self._link, f"is larger than {shown}")


class Outside:
    """A client that keeps connections for reuse; open it with `async with`. `resolver` and `ssl` are for tests."""

    def __init__(
        self, rules: Rules, *, resolver: AbstractResolver | None = None, ssl: SSLContext | bool = True
    ) -> None:
        self.rules = rules
        self._resolver = resolver
        self._ssl = ssl
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Outside:
        connector = aiohttp.TCPConnector(
            resolver=_Judging(self._resolver or ThreadedResolver(), self.rules),
            use_dns_cache=False,
            socket_factory=self._open_socket,
            ssl=self._ssl,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": _USER_AGENT},
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()

    def _open_socket(self, info: Any) -> socket.socket:
        family, kind, proto, _, address = info
        if not is_public(address[0], self.rules.networks):
            raise _Refused("not public")
        return socket.socket(family=family, type=kind, proto=proto)

    def check(self, link: object, field: str = "link") -> URL:
        """The link as it will be called, before any look-up. Raises Invalid for form, port, or a bad plain address."""
        text = link if isinstance(link, str) else ""
        url = parse_http_url(text, credentials=True)
        if url is None:
            shown = shown_link(text)
            raise Invalid.of(field, shown, "is not an address that begins with http:// or https://")
        if self.rules.ports is not None and url.port not in self.rules.ports:
            raise Invalid.of(field, shown_link(text), f"uses the port {url.port}, which is not allowed")
        host = url.host or ""
        if (":" in host or host.replace(".", "").isdigit()) and not is_public(host, self.rules.networks):
            raise _private(field, url)
        return url

    @asynccontextmanager
    async def request(
        self,
        method: str,
        link: str,
        *,
        limits: Limits,
        field: str = "link",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> AsyncIterator[Reply]:
        """One call; any status is an answer, a redirect too: it is not followed.

        Raises Invalid, Unreachable and NoAnswer. What is done with the reply counts for the total time.
        """
        url = self.check(link, field)
        async with _bounded(field, url, limits), self._call(method, url, limits, headers, body) as response:
            yield Reply(shown_link(url), field, limits, response)

    @asynccontextmanager
    async def get(self, link: str, *, limits: Limits, field: str = "link") -> AsyncIterator[Reply]:
        """A download: redirects are followed, anything but 200 is refused. Raises as `request` does."""
        first = url = self.check(link, field)
        async with _bounded(field, first, limits):
            for _ in range(REDIRECTS + 1):
                async with self._call("GET", url, limits) as response:
                    target = response.headers.get("Location") if response.status in _MOVED else None
                    if target is None:
                        reply = Reply(shown_link(url), field, limits, response)
                        reply.require_ok()
                        yield reply
                        return
                    url = self._next(first, url, target, field)
            raise Invalid.of(field, shown_link(first), f"redirects more than {REDIRECTS} times")

    async def download(self, link: str, into: IO[bytes], *, limits: Limits, field: str = "link") -> int:
        """Writes the body into a file on the way; returns its size. Raises as `request` does."""
        size = 0
        async with self.get(link, limits=limits, field=field) as reply:
            async for chunk in reply.chunks():
                size += into.write(chunk)
        return size

    def _next(self, first: URL, url: URL, target: str, field: str) -> URL:
        try:
            joined = url.join(URL(target))
        except ValueError:
            raise Invalid.of(field, shown_link(url), "redirects to something that is no address") from None
        following = self.check(str(joined), field)
        if following.raw_user is None and following.origin() == first.origin():
            following = following.with_user(first.user).with_password(first.password)
        return following

    def _call(
        self,
        method: str,
        url: URL,
        limits: Limits,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> aiohttp.client._RequestContextManager:
        assert self._session is not None, "Outside is used with `async with`"
        sent = dict(headers or {})
        if url.raw_user is not None or url.raw_password is not None:
            pair = f"{url.user or ''}:{url.password or ''}".encode()
            sent["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        return self._session.request(
            method,
            url.with_user(None),
            headers=sent,
            data=body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(sock_connect=limits.idle, sock_read=limits.idle),
        )


class _Judging(AbstractResolver):
    """Looks a name up and refuses it when any of its addresses is not public."""

    def __init__(self, resolver: AbstractResolver, rules: Rules) -> None:
        self._resolver = resolver
        self._rules = rules

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not all(is_public(one["host"], self._rules.networks) for one in found):
            raise _Refused("not public")
        return found

    async def close(self) -> None:
        await self._resolver.close()


def shown_link(link: URL | str) -> str:
    """A link as it may be logged and shown: without user name, password, query and fragment."""
    if isinstance(link, str):
        parsed = parse_http_url(link, credentials=True)
        if parsed is None:
            return link.rpartition("@")[2].partition("?")[0].partition("#")[0]
        link = parsed
    return str(link.with_user(None).with_query(None).with_fragment(None))


@asynccontextmanager
async def _bounded(field: str, url: URL, limits: Limits) -> AsyncIterator[None]:
    """Turns what the HTTP client raises into what the caller may read."""
    try:
        async with asyncio.timeout(limits.total):
            yield
    except aiohttp.ConnectionTimeoutError:
        raise Unreachable.of(field, shown_link(url), "did not answer in time") from None
    except (TimeoutError, aiohttp.ServerTimeoutError):
        raise NoAnswer.of(field, shown_link(url), "did not answer in time") from None
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, _Refused):
            raise _private(field, url) from None
        raise Unreachable.of(field, shown_link(url), _no_connection(error)) from None
    except aiohttp.ClientPayloadError:
        raise NoAnswer.of(field, shown_link(url), "broke off in the middle, or is packed wrongly") from None
    except aiohttp.ClientError:
        raise NoAnswer.of(field, shown_link(url), "gave no valid HTTP answer") from None


def _no_connection(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "cannot be reached: the name of the host is not known"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "cannot be reached: the certificate of the host is not valid"
    return "cannot be reached"


def _private(field: str, url: URL) -> Invalid:
    return Invalid.of(field, shown_link(url), "leads to an address that is not public")
