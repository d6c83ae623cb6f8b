"""Columns on their way into SQL: the fast form of an array parameter.

Bulk statements take whole columns: `from unnest(string_to_array(%(names)s, E'\\x1f', E'\\x1e'))`. A text column
packed here costs a twentieth of what the driver needs for a list, and PostgreSQL splits it in C. The separators
are control characters, which cleaning (`lib.text`) keeps out of every stored value; JSON text escapes them.

In SQL write `unpack` for the column: `... from unnest({names}, {totals}::numeric[])` is spelled
`unnest(string_to_array(%(names)s, E'\\x1f', E'\\x1e'), string_to_array(%(totals)s, E'\\x1f', E'\\x1e')::numeric[])`.
"""

from __future__ import annotations

from collections.abc import Iterable

SEPARATOR = "\x1f"
NULL = "\x1e"


def pack(values: Iterable[str | None]) -> str:
    """Text values, None for null. A column must not be a single empty string: blank is null in our data."""
    return SEPARATOR.join([NULL if value is None else value for value in values])


def pack_numbers(values: Iterable[int | float | None]) -> str:
    """Numbers, for a `::bigint[]`, `::numeric[]` or `::float8[]` cast."""
    return SEPARATOR.join([NULL if value is None else str(value) for value in values])


def pack_flags(values: Iterable[bool | None]) -> str:
    """Booleans, for a `::boolean[]` cast."""
    return SEPARATOR.join([NULL if value is None else ("t" if value else "f") for value in values])
