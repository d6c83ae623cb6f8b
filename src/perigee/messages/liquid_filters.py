"""Liquid filters of ours, and standard ones that we replace because they read the clock or cost too much."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

from liquid import Environment
from liquid.exceptions import FilterArgumentError
from liquid.filter import liquid_filter, sequence_filter, string_filter, with_context
from liquid.undefined import is_undefined
from markupsafe import Markup

from perigee.lib import json_edge
from perigee.lib.dates import parse_moment
from perigee.messages.engine import Place, write
from perigee.messages.limits import weight
from perigee.messages.liquid_limits import LimitedContext
from perigee.messages.person import text_of


class Written(Markup):
    """Text that its author declared to be written for its place already: nothing is escaped or encoded again."""

    __slots__ = ()


class AsJson(str):
    """A JSON document, which is a part of JSON as it is; elsewhere it is a text like any other."""

    __slots__ = ()


@liquid_filter
def as_json(value: object) -> AsJson:
    """`json`: the value as JSON: a text with its quotes, a list, an object; `null` for what is not there."""
    if is_undefined(value):
        value = None
    weight(value)
    return AsJson(json_edge.encode(_plain(value)).decode())


def _plain(value: object) -> object:
    """Lists and objects as they are, of single values those that JSON knows; others as text."""
    match value:
        case None | bool() | int() | float() | Decimal():
            return value
        case Mapping():
            return {str(name): _plain(member) for name, member in value.items()}
        case list() | tuple() | range():
            return [_plain(member) for member in value]
    return text_of(value)


@liquid_filter
def raw(value: object) -> Written:
    """`{{ x | raw }}` (also `safe`): the value as it is, in HTML and in URLs."""
    return Written(text_of(value))


@string_filter
def url_encode(value: str) -> Written:
    return Written(quote_plus(value, errors="replace"))


def _placed(place: Place) -> Callable[..., Written]:
    @liquid_filter
    def placed(value: object) -> Written:
        if isinstance(value, Written) or (place is Place.JSON and isinstance(value, AsJson)):
            return Written(value)
        return Written(write(str(text_of(value)), place))

    return placed


_TAG = re.compile(r"<[^<>]*>")


@string_filter
def strip_html(value: str) -> str:
    """Tags taken out in one linear pass (the library's parser is quadratic on unclosed markup)."""
    return _TAG.sub("", value)


@sequence_filter
def uniq(sequence: list[Any], key: object = None) -> list[object]:
    """First of equals, by value or by the member `key`; linear, unlike the library's."""
    seen: set[str] = set()
    kept = []
    for item in sequence:
        value = item if key is None else item.get(key) if isinstance(item, dict) else None
        mark = f"{type(value).__name__}:{value!r}"
        if mark not in seen:
            seen.add(mark)
            kept.append(item)
    return kept


_DIRECTIVE = re.compile(r"%(-?)(.)")
_KNOWN_DIRECTIVES = frozenset("aAbBcdDeFHIjmMnpSTuUVwWxXyYzZ%")


@with_context
@liquid_filter
def format_date(value: object, pattern: str, *, context: LimitedContext) -> str:
    """`date`: a moment, ISO or day-first text, epoch seconds or milliseconds; `now` is the moment of rendering.

    What is not a date comes back as it is. Directives of C's strftime without widths.
    """
    if is_undefined(value) or value is None:
        return ""
    moment = _moment(value, context)
    if moment is None:
        return text_of(value)
    pattern = str(pattern)
    if len(pattern) > 200 or any(m[2] not in _KNOWN_DIRECTIVES for m in _DIRECTIVE.finditer(pattern)):
        raise FilterArgumentError(f"date: {pattern[:80]!r} is not a date format", token=None)
    return moment.strftime(pattern)


def _moment(value: object, context: LimitedContext) -> datetime | None:
    if value in ("now", "today"):
        return context.moment.now
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, str) and value.isdecimal() and 9 <= len(value) <= 13:
        value = int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = value / 1000 if abs(value) > 100_000_000_000 else value
        return datetime.fromtimestamp(seconds, UTC) if abs(seconds) < 7_000_000_000 else None
    if isinstance(value, str):
        return _as_written(value)
    return None


def _as_written(text: str) -> datetime | None:
    """A moment in the zone in which it is written: a template shows what the shop said."""
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return parse_moment(text, UTC)


PLACES = {Place.URL: "pg_url", Place.LINK: "pg_link", Place.SOURCE: "pg_source", Place.JSON: "pg_json"}
"""Filters that compiling appends to code in URLs and in JSON; authors have no use for them."""


def register(env: Environment) -> None:
    for name in ("raw", "safe"):
        env.add_filter(name, raw)
    env.add_filter("url_encode", url_encode)
    env.add_filter("strip_html", strip_html)
    env.add_filter("uniq", uniq)
    env.add_filter("date", format_date)
    env.add_filter("json", as_json)
    for place, name in PLACES.items():
        env.add_filter(name, _placed(place))
