"""The frequency strategy: a grid of segments and message tags that says on which days a tag may go (product 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from perigee.campaigns.members import NOBODY, members_sql
from perigee.db.pool import Connection
from perigee.delivery.rules import StrategyRow


class Strategy(NamedTuple):
    """`sql` selects `contact_id` and `row`, the first row of the grid that a person is in; with `values`. It is refused
    who is in one of `refused`; `other` is the row of everybody else, -1 where there is none."""

    sql: str
    values: dict[str, Any]
    refused: list[int]
    other: int


FREE = Strategy(f"select contact_id, 0 as row from ({NOBODY}) nobody", {}, [], -1)  # noqa: S608


def refused_rows(rows: Sequence[StrategyRow], tags: Sequence[str], weekday: int) -> list[int] | None:
    """Numbers of the rows whose people get no message with these tags on this ISO weekday; None when no row names any of
    the tags, and the grid says nothing of the message. Pure."""
    governed = {tag for row in rows for tag in row.days} & set(tags)
    if not governed:
        return None
    return [
        number
        for number, row in enumerate(rows)
        if not any(weekday in row.days.get(tag, ()) for tag in governed)
    ]


async def strategy_sql(
    connection: Connection, org_id: int, rows: Sequence[StrategyRow], tags: Sequence[str], weekday: int
) -> Strategy:
    refused = refused_rows(rows, tags, weekday)
    if not refused:
        return FREE
    parts: list[str] = []
    values: dict[str, Any] = {}
    for number, row in enumerate(rows):
        if row.segment_id is None:
            continue
        people = await members_sql(connection, org_id, [row.segment_id], prefix=f"row{number}")
        parts.append(f"select contact_id, {number} as row from ({people.sql}) row{number}")  # noqa: S608
        values |= people.values
    sql = f"select contact_id, min(row) as row from ({' union all '.join(parts)}) placed group by 1"  # noqa: S608
    other = len(rows) - 1 if rows[-1].segment_id is None else -1
    return Strategy(sql if parts else FREE.sql, values, refused, other)
