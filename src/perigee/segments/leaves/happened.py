"""Reads the table of events: all of one type, or of each contact the first or the last. Pure."""

from __future__ import annotations

from typing import Literal

from perigee.segments.moments import Instants
from perigee.segments.sql import Sql, both

ALWAYS = Instants(None, None)


def of_type(sql: Sql, e: str, key: str) -> list[str]:
    """The rows of an event type that belong to contacts; none where there is no such type."""
    type_id = sql.world.catalogue.event_types.get(key)
    return [
        f"{e}.org_id = {sql.org}",
        f"{e}.event_type_id = {sql.bind(type_id, 'bigint')}",
        f"{e}.contact_id is not null",
        *sql.among(f"{e}.contact_id"),
    ]


def one_of_each(sql: Sql, e: str, which: Literal["first", "last"], conditions: list[str]) -> str:
    """Of every contact's events that meet the conditions (on the alias `e`) the first or last: its contact_id,
    occurred_at and params. Of several at one instant the order of ids counts."""
    direction = "asc" if which == "first" else "desc"
    return (
        f"select distinct on ({e}.contact_id) {e}.contact_id, {e}.occurred_at, {e}.params from event {e} "
        f"where {both(conditions)} "
        f"order by {e}.contact_id, {e}.occurred_at {direction}, {e}.event_id {direction}"
    )


def half_open(window: Instants, which: Literal["first", "last"]) -> Instants:
    """The side of a window that may be asked of all events when the first or last of them must lie in the window.

    The last of all lies behind its start exactly if it is the last of those that do; so partitions are left out.
    """
    return Instants(None, window.end) if which == "first" else Instants(window.start, None)
