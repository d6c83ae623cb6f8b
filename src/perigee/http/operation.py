"""One HTTP method of ours: how it is declared, and what every call goes through.

A domain's face module declares its methods with `@operation(...)` (from `perigee.esputnik.face` or
`perigee.http.v4`); `http/routes.py` lists the modules. The declaration carries what the table of rights, the
OpenAPI file and the compatibility page are made from.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from litestar import Response
from litestar.datastructures import MultiDict

from perigee.accounts.rights import Right
from perigee.accounts.types import Principal
from perigee.errors import Forbidden, Invalid, NotFound
from perigee.http import body as bodies
from perigee.http import idempotency
from perigee.http.body import AnyRequest, UnsupportedMedia
from perigee.http.client_address import client_address
from perigee.http.context import AppContext
from perigee.http.rates import Rate
from perigee.lib import json_edge
from perigee.lib.text import clean
from perigee.settings import Settings

T = TypeVar("T")

MB = 1024 * 1024


class Face(Protocol):
    """How a family of methods answers: `/api/v1..v3` in the old wire's ways, `/api/v4` in ours."""

    prefix: str
    idempotency_keys: bool
    """Does a POST take the header `Idempotency-Key`?"""

    def rates(self, settings: Settings, method: str, path: str) -> tuple[Rate, ...]:
        """The call limits that a call of this method counts for."""
        ...

    def answer(self, value: Any) -> Response[Any]: ...

    def refuse(self, error: Exception, request: AnyRequest) -> Response[Any]: ...


@dataclass(slots=True)
class Call:
    """One call of a method: who asks, what they sent."""

    request: AnyRequest
    context: AppContext
    principal: Principal
    body_limit: int
    raw: bytes | None = None

    @property
    def org_id(self) -> int:
        return self.principal.org_id

    @property
    def path(self) -> Mapping[str, Any]:
        return self.request.path_params

    @property
    def query(self) -> MultiDict[Any]:
        return self.request.query_params

    async def body(self) -> bytes:
        """The raw body. Raises TooLarge and TooSlow."""
        if self.raw is None:
            self.raw = await bodies.read(
                self.request, limit=self.body_limit, seconds=self.context.settings.request_timeout_seconds
            )
        return self.raw

    async def json(self, kind: type[T], *, optional: bool = False) -> T:
        """The decoded body. `optional`: no body equals an empty object. Raises Invalid, UnsupportedMedia."""
        return json_edge.decode(await self.json_body(optional=optional), kind)

    async def json_body(self, *, optional: bool = False) -> bytes:
        """The body as it came, for those who decode it themselves. Raises as `json` does, but for bad JSON."""
        raw = await self.body()
        if not raw.strip():
            if not optional:
                raise Invalid("body: is empty, a JSON document is required", field="body")
            raw = b"{}"
        else:
            content_type = self.request.headers.get("content-type", "application/json")
            if content_type.split(";")[0].strip().lower() not in ("application/json", "text/json", ""):
                raise UnsupportedMedia(
                    f"Content-Type '{content_type[:60]}' is not supported, use application/json"
                )
        return raw


Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Query:
    """One parameter of the query string, as the OpenAPI file shows it; reading it is the handler's work.

    `kind` is the Python type of its value (`list[int]` = comma separated or repeated).
    """

    name: str
    kind: Any = str
    about: str = ""
    required: bool = False
    default: Any = None
    example: Any = None


class Sentence:
    """As a declared `answer`: a bare English sentence labelled JSON (contract 2.4)."""


class Empty:
    """As a declared `answer`: no body."""


class Csv:
    """As a declared `answer`: a file of comma-separated values (RFC 4180)."""


class PlainText:
    """As a declared `answer`: text/plain.

    An `answer` is a type, one of these, `Type | Empty` where the body may be missing, or, where the status tells them
    apart, all of them by status: `{200: SiteDomain, 201: SiteDomain}`.
    """


@dataclass(frozen=True)
class Operation:
    """A declared method. `path` is relative to the face's prefix, in Litestar's form (`/contact/{id:int}`)."""

    face: Face
    method: str
    path: str
    right: Right
    handler: Handler
    section: str
    body: Any
    answer: Any
    body_limit: Callable[[AppContext], int]
    summary: str
    query: tuple[Query, ...] = ()
    example: Any = None
    """A request body that works, as JSON values."""
    answer_example: Any = None
    refusals: tuple[int, ...] = ()
    """Statuses of this method alone (404, 409, 419); those every method has, and the 404 of one with a path parameter, are
    not repeated."""

    @property
    def operation_id(self) -> str:
        return self.handler.__name__

    async def serve(self, request: AnyRequest, context: AppContext) -> Response[Any]:
        """Authenticate, check the right, run, answer; every error in the face's own form."""
        try:
            principal = await context.authenticator.authenticate(
                request.headers.get("authorization"), client_address(request)
            )
            if not principal.may(self.right):
                raise Forbidden(
                    f"this key has the access '{principal.access}', which does not include this method"
                )
            for rate in self.face.rates(context.settings, self.method, self.path):
                await context.rates.spend(principal.org_id, rate)
            _refuse_impossible_ids(request)
            call = Call(request, context, principal, self.body_limit(context))
            key = request.headers.get("idempotency-key")
            if key is None or not self.face.idempotency_keys or self.method != "POST":
                return self.face.answer(await self.handler(call))
            mark = idempotency.request_hash(
                self.method, request.url.path, request.url.query, await call.body()
            )
            return await idempotency.once(
                context.database, call.org_id, key, mark, lambda: self._answer(call)
            )
        except Exception as error:
            return self.face.refuse(error, request)

    async def _answer(self, call: Call) -> Response[Any]:
        try:
            return self.face.answer(await self.handler(call))
        except Exception as error:
            return self.face.refuse(error, call.request)


def _refuse_impossible_ids(request: AnyRequest) -> None:
    """A number or text in the path that no id of ours can be names nothing. Raises NotFound."""
    for name, value in request.path_params.items():
        if isinstance(value, int) and not 0 <= value <= json_edge.INT64_MAX:
            raise NotFound(f"{name.removesuffix('_id')} {str(value)[:40]} is not found")
        if isinstance(value, str) and clean(value) != value:
            raise NotFound(f"{name.removesuffix('_id')} is not found")


def default_limit(context: AppContext) -> int:
    return context.settings.max_body_mb * MB


def bulk_limit(context: AppContext) -> int:
    """For bulk contacts and orders."""
    return context.settings.max_bulk_body_mb * MB


def event_limit(context: AppContext) -> int:
    """For one event (contract section 5: 20 KB)."""
    return context.settings.max_event_body_kb * 1024


def declare(
    face: Face,
    method: str,
    path: str,
    *,
    right: Right,
    section: str = "",
    body: Any = None,
    answer: Any = None,
    body_limit: Callable[[AppContext], int] = default_limit,
    query: tuple[Query, ...] = (),
    example: Any = None,
    answer_example: Any = None,
    refusals: tuple[int, ...] = (),
) -> Callable[[Handler], Operation]:
    def decorate(handler: Handler) -> Operation:
        summary = (handler.__doc__ or "").strip().split("\n")[0]
        return Operation(
            face,
            method,
            path,
            right,
            handler,
            section,
            body,
            answer,
            body_limit,
            summary,
            query,
            example,
            answer_example,
            refusals,
        )

    return decorate
