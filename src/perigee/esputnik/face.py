"""What all methods of the old wire share: `/api/v1` to `/api/v3` (contract sections 2, 3, 4, 25).

The quirks live here and in the domains' `esputnik.py` files; no behaviour below knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
from litestar import Response

from perigee.accounts.rights import Right
from perigee.errors import Invalid, PerigeeError
from perigee.esputnik import envelope, limits
from perigee.http.body import AnyRequest
from perigee.http.context import AppContext
from perigee.http.operation import (
    Call,
    Empty,
    Handler,
    Operation,
    PlainText,
    Query,
    Sentence,
    bulk_limit,
    declare,
    default_limit,
    event_limit,
)
from perigee.http.rates import Rate
from perigee.lib import json_edge
from perigee.settings import Settings

__all__ = [
    "PAGE",
    "Answer",
    "Call",
    "Empty",
    "PlainText",
    "Query",
    "Right",
    "Sentence",
    "bulk_limit",
    "collapse",
    "empty",
    "event_limit",
    "listing",
    "operation",
    "page",
    "plain",
    "sentence",
]

JSON = "application/json;charset=UTF-8"

PAGE = (
    Query("startindex", int, "number of the first row, counted from 1", default=1),
    Query("maxrows", int, "rows of the page, at most 500", default=500),
)
"""The query of every list that goes through `page` with its usual amounts."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is more than a JSON value: a sentence, an empty body, headers, another status."""

    content: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = JSON


def sentence(text: str) -> Answer:
    """A bare English sentence, not quoted, still labelled JSON (contract 2.4)."""
    return Answer(text.encode())


def empty() -> Answer:
    """No body at all, status 200 (contract 2.4)."""
    return Answer(b"")


def plain(text: str, status: int = 200) -> Answer:
    """Plain text, where a client expects it (contract 4, "Exception")."""
    return Answer(text.encode(), status=status, media_type="text/plain;charset=UTF-8")


def listing(rows: Sequence[Any], total: int) -> Answer:
    """A top-level array, never collapsed, with the total in the header `TotalCount`."""
    return Answer(json_edge.encode(rows), headers={"TotalCount": str(total)})


def collapse(call: Call, elements: Sequence[Any]) -> Any:
    """One element instead of an array of one, its numbers and booleans as text (contract section 3).

    Only for the members listed there. An organisation's switch `always_arrays` turns it off.
    """
    if len(elements) != 1 or call.principal.settings.get("always_arrays"):
        return elements
    return as_text(msgspec.to_builtins(elements[0]))


def as_text(value: Any) -> Any:
    """Numbers and booleans of a collapsed element as text, also inside nested objects."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case dict():
            return {key: as_text(member) for key, member in value.items()}
        case list():
            return [as_text(member) for member in value]
    return value


def page(call: Call, *, default: int = 500, most: int = 500) -> tuple[int, int]:
    """(offset from 0, rows) of `startindex` (counted from 1) and `maxrows`. Raises Invalid."""
    start = _whole(call, "startindex", 1)
    rows = _whole(call, "maxrows", default)
    return start - 1, min(rows, most)


def _whole(call: Call, name: str, default: int) -> int:
    text = (call.query.get(name) or "").strip()
    if not text:
        return default
    if not text.isdecimal() or not text.isascii() or len(text) > 10 or int(text) < 1:
        raise Invalid.of(name, text, "must be a whole number from 1")
    return int(text)


class EsputnikFace:
    prefix = "/api"
    idempotency_keys = False

    @staticmethod
    @cache
    def rates(settings: Settings, method: str, path: str) -> tuple[Rate, ...]:
        return limits.rates(settings, method, path)

    def answer(self, value: Any) -> Response[Any]:
        if not isinstance(value, Answer):
            value = Answer(json_edge.encode(value))
        return Response(
            content=value.content,
            status_code=value.status,
            headers=value.headers,
            media_type=value.media_type,
        )

    def refuse(self, error: Exception, request: AnyRequest) -> Response[Any]:
        return envelope.render(error, request.url.path)


FACE = EsputnikFace()


def operation(
    method: str,
    path: str,
    *,
    section: str,
    right: Right,
    body: Any = None,
    answer: Any = None,
    body_limit: Callable[[AppContext], int] = default_limit,
    query: tuple[Query, ...] = (),
    example: Any = None,
    answer_example: Any = None,
    refusals: tuple[int, ...] = (),
) -> Callable[[Handler], Operation]:
    """Declares a method of the old wire; `path` begins with the version: `/v1/contact/{contact_id:int}`."""
    return declare(
        FACE,
        method,
        path,
        right=right,
        section=section,
        body=body,
        answer=answer,
        body_limit=body_limit,
        query=query,
        example=example,
        answer_example=answer_example,
        refusals=refusals,
    )


def failures(elements: Iterable[Any | PerigeeError]) -> list[PerigeeError]:
    """The refusals among the results of a set function."""
    return [element for element in elements if isinstance(element, PerigeeError)]
