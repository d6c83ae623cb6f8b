"""Conditions on messages to a contact and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from perigee.segments.comparisons import Comparison
from perigee.segments.dates import Period
from perigee.segments.leaves.counting import COUNT, ONCE, effort, happened
from perigee.segments.leaves.leaf import Effort, Members, SetLeaf
from perigee.segments.person import Happening, Needs, Person
from perigee.segments.sql import Sql, both
from perigee.segments.world import Catalogue, World

_PERIOD = Period()


class Source(NamedTuple):
    """Where a happening is written down, and its values there: outcomes of a delivery, statuses of an activity."""

    table: Literal["delivery", "activity"]
    values: tuple[str, ...]


SOURCES: Mapping[Happening, Source] = {
    "sent": Source("delivery", ("sent",)),
    "failed": Source("delivery", ("failed",)),
    "delivered": Source("activity", ("DELIVERED",)),
    "opened": Source("activity", ("READ", "CLICKED")),
    "clicked": Source("activity", ("CLICKED",)),
    "unsubscribed": Source("activity", ("UNSUBSCRIBED",)),
    "complained": Source("activity", ("SPAM",)),
}


class MessageLeaf(SetLeaf, frozen=True, tag="message"):
    """`{"is": "message", "what": "opened", "channel": "email", "times": {"op": "at_least", "value": 3}}`.

    Counts messages, not happenings: one that was opened five times is one. Who clicked has opened, even with
    images off. Machines that open and click do not count. `period`: when it happened.
    """

    what: Happening
    channel: (
        Literal["email", "sms", "viber", "mobilepush", "webpush", "appinbox", "telegram", "webhook"] | None
    ) = None
    times: Comparison = ONCE
    period: Comparison | None = None

    @property
    def effort(self) -> Effort:
        return effort(self.times)

    def check(self, at: str, catalogue: Catalogue) -> None:
        COUNT.check(self.times, f"{at}.times")
        if self.period is not None:
            _PERIOD.check(self.period, f"{at}.period")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        needs.messages.add(self.what)

    def members(self, sql: Sql) -> Members:
        m = sql.alias()
        table, values = SOURCES[self.what]
        column = "outcome" if table == "delivery" else "status"
        conditions = [
            f"{m}.org_id = {sql.org}",
            f"{m}.{column} = any({sql.bind(list(values), 'text[]')})",
            *sql.among(f"{m}.contact_id"),
        ]
        if table == "activity":
            conditions.append(f"coalesce({m}.meta ->> 'machine', '') = ''")
        if self.channel is not None:
            conditions.append(self._of_channel(sql, m))
        if self.period is not None:
            window = _PERIOD.window(self.period, sql.world.moment)
            conditions += sql.within(f"{m}.at", window)
            if table == "delivery" and window.end is not None:  # lets partitions of later sends be left out
                conditions.append(f"{m}.send_started_at < {sql.bind(window.end, 'timestamptz')}")
        source = f"from {table} {m} where {both(conditions)}"
        return happened(sql, self.times, f"{m}.contact_id", source, f"distinct ({m}.send_id, {m}.ordinal)")

    def _of_channel(self, sql: Sql, m: str) -> str:
        channel = sql.bind(self.channel, "text")
        if SOURCES[self.what].table == "activity":
            return f"{m}.channel = {channel}"
        s = sql.alias()
        return f"{m}.send_id in (select {s}.send_id from send {s} where {s}.org_id = {sql.org} and {s}.channel = {channel})"

    def found(self, person: Person, world: World) -> Any:
        return len(
            {
                (message.send_id, message.ordinal)
                for message in person.messages.get(self.what, ())
                if self.channel in (None, message.channel)
                and (self.period is None or _PERIOD.holds(message.at, self.period, world.moment))
            }
        )

    def holds(self, person: Person, world: World) -> bool:
        return COUNT.holds(self.found(person, world), self.times, world.moment)
