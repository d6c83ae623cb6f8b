"""Our own API, `/api/v4`: resource-oriented, cursor pages, RFC 9457 problems, `Idempotency-Key`.

The UI, the CLI, the client and MCP use it for everything the old wire has no method for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic

import msgspec
from litestar import Response
from litestar.response import Stream
from typing_extensions import TypeVar

from perigee import errors
from perigee.accounts.rights import Right
from perigee.errors import Invalid
from perigee.esputnik.envelope import headers_of, status_of
from perigee.http import failure
from perigee.http.body import AnyRequest
from perigee.http.context import AppContext
from perigee.http.operation import Call, Csv, Handler, Operation, Query, declare, default_limit
from perigee.http.rates import Rate
from perigee.lib import json_edge
from perigee.settings import Settings

__all__ = [
    "CURSOR",
    "LIMIT",
    "PAGE",
    "Call",
    "Created",
    "Csv",
    "Download",
    "Page",
    "Query",
    "Right",
    "cursor_page",
    "operation",
    "page_limit",
    "problem",
    "refusal",
]

PROBLEM = "application/problem+json"

CURSOR = Query("cursor", str, "`next` of the page before; without it the first page")
LIMIT = Query("limit", int, "rows of a page, 1 to 500", default=100)
PAGE = (CURSOR, LIMIT)
"""The query of every list that goes through `cursor_page`."""


@dataclass(frozen=True, slots=True)
class Created:
    """Answers 201 with the value."""

    value: Any


@dataclass(frozen=True, slots=True)
class Download:
    """Answers with a CSV file, piece by piece. Declared as `Csv`."""

    name: str
    pieces: AsyncIterator[bytes]


Item = TypeVar("Item", default=Any)


class Page(msgspec.Struct, Generic[Item]):
    """A page of a list; `next` is the cursor of the page behind it, absent on the last.

    Declared as `Page[Segment]`, so that the OpenAPI file knows its rows.
    """

    items: Sequence[Item]
    next: str | msgspec.UnsetType = msgspec.UNSET


def cursor_page(call: Call, *, default: int = 100, most: int = 500) -> tuple[int, int]:
    """(id to continue behind, rows) of the query's `cursor` and `limit`. Raises Invalid."""
    cursor = call.query.get("cursor") or "0"
    if not cursor.isdecimal() or len(cursor) > 18:
        raise Invalid.of("cursor", cursor, "must be a cursor of an earlier page")
    return int(cursor), page_limit(call, default=default, most=most)


def page_limit(call: Call, *, default: int = 100, most: int = 500) -> int:
    """Rows of a page, the query's `limit`; for lists with a cursor of their own form. Raises Invalid."""
    limit = call.query.get("limit") or str(default)
    if not limit.isdecimal() or not 1 <= int(limit[:9]) <= most:
        raise Invalid.of("limit", limit, f"must be from 1 to {most}")
    return int(limit)


class V4Face:
    prefix = "/api/v4"
    idempotency_keys = True

    def rates(self, settings: Settings, method: str, path: str) -> tuple[Rate, ...]:
        return (Rate("own calls", settings.rate_own_calls),)

    def answer(self, value: Any) -> Response[Any]:
        status = 200
        if isinstance(value, Created):
            value, status = value.value, 201
        if value is None:
            return Response(content=b"", status_code=204)
        if isinstance(value, Download):
            named = {"Content-Disposition": f'attachment; filename="{value.name}"'}
            return Stream(value.pieces, headers=named, media_type="text/csv; charset=utf-8")
        return Response(content=json_edge.encode(value), status_code=status, media_type="application/json")

    def refuse(self, error: Exception, request: AnyRequest) -> Response[Any]:
        return problem(error, request.url.path)


def problem(error: Exception, path: str) -> Response[Any]:
    """RFC 9457. `code` is stable and for programs, `detail` is for people."""
    found = failure.known(error)
    if found is None:
        failure_id = failure.record(error, path)
        return _problem(500, "internal", f"Internal error, its id in the log is {failure_id}", path, {})
    extra: dict[str, Any] = {}
    if isinstance(found, errors.Invalid) and found.field:
        extra["field"] = found.field
    response = _problem(status_of(found), found.code, found.message, path, extra)
    response.headers.update(headers_of(found))
    return response


def refusal(status: int, detail: str, path: str, headers: dict[str, str]) -> Response[Any]:
    """The problem of a call that reached no method: an unknown path (404), a wrong method on a known one (405)."""
    response = _problem(status, HTTPStatus(status).phrase.lower().replace(" ", "_"), detail, path, {})
    response.headers.update(headers)
    return response


def _problem(status: int, code: str, detail: str, path: str, extra: dict[str, Any]) -> Response[Any]:
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": path,
        **extra,
    }
    return Response(content=json_edge.encode(content), status_code=status, media_type=PROBLEM)


FACE = V4Face()


def operation(
    method: str,
    path: str,
    *,
    right: Right = Right.FULL,
    body: Any = None,
    answer: Any = None,
    body_limit: Callable[[AppContext], int] = default_limit,
    query: tuple[Query, ...] = (),
    example: Any = None,
    answer_example: Any = None,
    refusals: tuple[int, ...] = (),
) -> Callable[[Handler], Operation]:
    """Declares a method of our own API; `path` is relative to `/api/v4`."""
    return declare(
        FACE,
        method,
        path,
        right=right,
        body=body,
        answer=answer,
        body_limit=body_limit,
        query=query,
        example=example,
        answer_example=answer_example,
        refusals=refusals,
    )
