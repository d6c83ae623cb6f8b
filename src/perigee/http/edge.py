"""The outermost layer: what must be true of every request and answer before any routing (contract section 2).

- `/api//v1/contact/` is `/api/v1/contact`: doubled slashes are collapsed, a trailing one is dropped, no redirects.
- `/api/contact`, without a version, is v1 (contract section 1).
- OPTIONS needs no credentials; CORS headers are on every answer under /api/.
- `TotalCount` leaves spelt so: old clients look it up case-sensitively.
- What any shop's pages call (tracker, web push, their scripts, App Inbox) is open to every origin, without credentials.
- Nothing under /api/ is cached. HEAD is GET without a body.
"""

from __future__ import annotations

import re
import time

import structlog
from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from perigee.lib.ids import request_id
from perigee.observe import HTTP_REQUESTS, HTTP_SECONDS, bind_request

log = structlog.get_logger()

_SLASHES = re.compile(r"/{2,}")
_VERSIONLESS = re.compile(r"^/api/(?!v[0-9]+(?:/|$)|openapi|docs)")

CORS = [
    (b"access-control-allow-methods", b"POST, GET, PUT, OPTIONS, DELETE"),
    (b"access-control-max-age", b"3600"),
    (
        b"access-control-allow-headers",
        b"Content-Type, Accept, Content-Range, Content-Disposition, Content-Description, X-Requested-With, "
        b"remember-me, Authorization, Idempotency-Key, ES-TOKEN",
    ),
    (b"access-control-expose-headers", b"TotalCount, ES-TOKEN"),
]


class _AsSpelt(bytes):
    """A header name that stays as it is: uvicorn lower-cases the names it writes, old clients know one spelling."""

    def lower(self) -> _AsSpelt:
        return self


PUBLIC = ("/tracker/", "/webpush/", "/scripts/", "/logs/", "/service-worker.js")
"""Paths that pages of any origin call."""

INBOX = "/appinbox/"
"""Shops' pages call it too (contract 22.8). A token in a header is the guard, no cookie is, so any origin may."""

TRACKER_HOST_PATH = "/api/v2"
"""The tracker's address on a host of its own (TRACKING 10): public, though it looks like the API's."""

PUBLIC_CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (b"access-control-allow-headers", b"Content-Type, Authorization"),
    (b"access-control-max-age", b"86400"),
]

TOTAL_COUNT = _AsSpelt(b"TotalCount")


_METHOD = "original_method"


def original_method(scope: Scope) -> str:
    """HEAD where the request was one, though handlers see a GET."""
    return str((scope.get("state") or {}).get(_METHOD) or scope.get("method", ""))


def normal_path(path: str) -> str:
    path = _SLASHES.sub("/", path)
    if len(path) > 1 and path.endswith("/"):
        path = path[:-1]
    return _VERSIONLESS.sub("/api/v1/", path)


class Edge:
    """ASGI wrapper. `origins`: the exact origins whose pages may call with credentials."""

    def __init__(self, app: ASGIApp, *, origins: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        path = normal_path(scope["path"])
        scope["path"] = path
        scope["raw_path"] = path.encode()
        method = scope["method"]
        headers = self._headers(scope, path)
        if method == "OPTIONS":
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [*headers, (b"content-length", b"0")],
                }
            )
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        if method == "HEAD":
            scope["method"] = HttpMethod.GET
            scope.setdefault("state", {})[_METHOD] = "HEAD"
        started = time.perf_counter()
        bind_request(request_id())

        async def send_outward(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (TOTAL_COUNT if name == b"totalcount" else name, value)
                    for name, value in message["headers"]
                ] + headers
                HTTP_REQUESTS.labels(method, str(message["status"])).inc()
                HTTP_SECONDS.observe(time.perf_counter() - started)
            elif method == "HEAD" and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        await self._app(scope, receive, send_outward)

    def _headers(self, scope: HTTPScope, path: str) -> list[tuple[bytes, bytes]]:
        if path == TRACKER_HOST_PATH or path.startswith(PUBLIC):
            return PUBLIC_CORS
        if not path.startswith(("/api/", INBOX)):
            return []
        headers = [(b"cache-control", b"no-store"), *CORS]
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        if origin is not None and origin.decode("latin-1") in self._origins:
            headers += [
                (b"access-control-allow-origin", origin),
                (b"access-control-allow-credentials", b"true"),
                (b"vary", b"Origin"),
            ]
        elif path.startswith(INBOX):
            headers += [(b"access-control-allow-origin", b"*"), (b"vary", b"Origin")]
        return headers
